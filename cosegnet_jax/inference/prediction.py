"""What `cosegnet predict` does: photos in; masks, cut-outs, groups, report.html and annotations out."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from scipy import sparse

from cosegnet_jax.inference import cache, group_folders, results_folder
from cosegnet_jax.inference.annotations.formats import Format
from cosegnet_jax.inference.collection import Photo
from cosegnet_jax.inference.cosegmentation import CoSegmentation, Described
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.inference.pages.overview_page import write_overview
from cosegnet_jax.inference.pages.report_page import write_report
from cosegnet_jax.inference.photo_reading import read
from cosegnet_jax.inference.results_folder import Skipped
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError, printable
from cosegnet_jax.runtime.on_demand import OnDemand
from cosegnet_jax.runtime.progress import Progress


def check(photos: Sequence[Photo], segmenter: CoSegmenter, out: Path) -> None:
    """Refuses a folder in which `predict` would overwrite what is not of this network and these photos.

    Raises:
        UserError: It would.
    """
    keys, _ = _keys(photos)
    cache.check(out, segmenter.network.fingerprint(), keys.values())


def plan(photos: Sequence[Photo], out: Path) -> str:
    """What `predict` would do, in words; nothing is written, and no photo opened."""
    keys, missing = _keys(photos)
    lines = [
        f'{photo.name} -> {out / mask}{" (looked at already)" * bool(cache.load(out, keys[photo.name]))}'
        for photo, mask in zip(
            photos, results_folder.mask_names([photo.name for photo in photos]), strict=True
        )
        if photo.name in keys
    ]
    lines += [f'{one.name}: would be skipped, {one.reason}' for one in missing]
    return '\n'.join([*map(printable, lines), f'{len(photos)} photos; nothing written'])


def predict(
    photos: Sequence[Photo],
    segmenter: CoSegmenter,
    out: Path,
    threshold: float,
    annotations: Sequence[Format] = (),
    neighbors: int | None = None,
    groups: group_folders.Kind = 'links',
    command: str = '',
) -> tuple[CoSegmentation, dict[str, Any]]:
    """Writes masks, cut-outs, groups, report.html, annotations and, when all else is there, pairs.json.

    What was done by an earlier call that was stopped, or at another threshold, is not done again. Files that
    cannot be read are skipped and listed.

    Args:
        photos: From `collection.find`.
        segmenter: The network.
        out: Folder that exists, and that `check` lets pass.
        threshold: For `grouping.group`.
        annotations: What to write into OUT/annotations; from `formats.chosen`.
        neighbors: For `CoSegmenter.relate`. Where not all pairs are decided, the report is an overview.
        groups: What the folders of the groups hold.
        command: That the report shows for another threshold.

    Returns:
        What was found, and the content of pairs.json.

    Raises:
        UserError: `out` cannot be written, or fewer than two photos can be read.
    """
    cache.begin(out, segmenter.network.fingerprint())
    keys, skipped = _keys(photos)
    skipped += _describe(segmenter, [photo for photo in photos if photo.name in keys], keys, out)
    skipped.sort()
    unread = {one.name for one in skipped}
    used = [photo for photo in photos if photo.name not in unread]
    if len(used) < 2:
        first = f'{skipped[0].name}: {skipped[0].reason}'
        raise UserError(f'{len(used)} of {len(photos)} photos can be read, and a pair takes two ({first})')

    def described(index: int) -> Described:
        one = cache.load(out, keys[used[index].name])
        if one is None:
            raise UserError(f'{out}: the description of {used[index].name} is gone; start again')
        return one

    names = tuple(photo.name for photo in used)
    paths = [photo.path for photo in used]
    found = segmenter.relate(names, paths, OnDemand(described, range(len(used))), threshold, neighbors)
    masks = results_folder.mask_names(names)
    cutouts = results_folder.cutout_names(names)
    rule = f'object from {found.mask_threshold:g}{", refined" * segmenter.refine}'
    without = frozenset(() if segmenter.keep_outliers else found.outliers)
    made_of = [f'{keys[name]} {"null" if index in without else rule}' for index, name in enumerate(names)]
    _write_pictures(
        found, [out / mask for mask in masks], [out / cutout for cutout in cutouts], made_of, without
    )
    cutouts = ['' if index in without else cutout for index, cutout in enumerate(cutouts)]
    placed = group_folders.placed(found, names)
    group_folders.write(out, {place: paths[index] for place, index in placed.items()}, groups)
    with files.write_atomically(out / 'groups.csv') as file:
        file.write_text(group_folders.table(found, masks, cutouts), encoding='utf-8')
    title = f'{len(used)} photos'
    with files.write_atomically(out / 'report.html') as file:
        if sparse.issparse(found.probabilities):
            write_overview(file, found, threshold=threshold, title=title)
        else:
            write_report(file, found, threshold=threshold, title=title, command=command)
    for one in annotations:
        one.write(out / 'annotations' / one.name, found, paths)
    seen = ((name, described(index).blank) for index, name in enumerate(names))
    doubtful = [Skipped(name, blank) for name, blank in seen if blank]
    document = results_folder.document(found, masks, threshold, skipped, doubtful)
    files.write_json(out / 'pairs.json', document)
    return found, document


def _keys(photos: Sequence[Photo]) -> tuple[dict[str, str], list[Skipped]]:
    """The key of each photo's description; and what is no file, or has no name that can be written."""
    keys, skipped = {}, []
    for photo in photos:
        try:
            keys[photo.name] = cache.key(photo.name, photo.path)
        except UnicodeEncodeError:
            skipped.append(Skipped(photo.name, 'a name that is not UTF-8; rename it'))
        except OSError as error:
            skipped.append(Skipped(photo.name, f'{error.strerror}; mend the link or remove it'))
    return keys, skipped


def _describe(
    segmenter: CoSegmenter, photos: Sequence[Photo], keys: dict[str, str], out: Path
) -> list[Skipped]:
    """Looks at each photo that was not looked at before, and keeps what is found as it comes."""
    todo = [photo for photo in photos if cache.load(out, keys[photo.name]) is None]
    under_way, skipped = collections.deque(), []
    done = len(photos) - len(todo)
    with Progress('Finding objects', len(photos), 'photos', done) as bar:

        def readable() -> Iterator[Image.Image]:
            for photo in todo:
                try:
                    image = read(photo.path)
                except UserError as error:
                    skipped.append(Skipped(photo.name, str(error).removeprefix(f'{photo.path}: ')))
                    bar.update()
                    continue
                under_way.append(photo)
                yield image

        for described in segmenter.describe(readable()):
            cache.save(out, keys[under_way.popleft().name], described)
            bar.update()
            bar.restart_clock()  # the first has compiled the network
    return skipped


def _write_pictures(
    found: CoSegmentation,
    masks: Sequence[Path],
    cutouts: Sequence[Path],
    made_of: Sequence[str],
    without: frozenset[int],
) -> None:
    """Writes masks and cut-outs that are not there; photos `without` a mask have no cut-out."""
    with Progress('Writing masks and cut-outs', len(masks), 'photos') as bar:
        for index, (mask, cutout, made) in enumerate(zip(masks, cutouts, made_of, strict=True)):
            if not results_folder.has_mask(mask, made):
                results_folder.write_mask(mask, found.masks[index], made)
            if index in without:
                results_folder.remove_own(cutout)
            elif not results_folder.has_mask(cutout, made):
                results_folder.write_cutout(cutout, found.cutouts()[index], made)
            bar.update()
            bar.restart_clock()
