"""What `cosegnet predict` does: photos in; masks, cut-outs, groups, report.html and annotations out."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from scipy import sparse

from cosegnet_jax.inference import cache, group_folders, own_files, results_folder
from cosegnet_jax.inference import settings as settings_file
from cosegnet_jax.inference.annotations import formats
from cosegnet_jax.inference.collection import Photo
from cosegnet_jax.inference.cosegmentation import CoSegmentation, Described
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.inference.describing import describe_photos
from cosegnet_jax.inference.group_folders import Kind
from cosegnet_jax.inference.own_files import OwnFiles
from cosegnet_jax.inference.pages.overview_page import write_overview
from cosegnet_jax.inference.pages.report_page import write_report
from cosegnet_jax.inference.results_folder import Skipped
from cosegnet_jax.inference.settings import Settings
from cosegnet_jax.networks.image_network import PartnerNetwork
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError, printable
from cosegnet_jax.runtime.on_demand import OnDemand
from cosegnet_jax.runtime.progress import Progress


class Outcome(NamedTuple):
    """What `predict` has done."""

    found: CoSegmentation
    document: dict[str, Any]  # the content of pairs.json
    said: list[str]  # lines for the person: files that were left, moved or removed


def check(photos: Sequence[Photo], segmenter: CoSegmenter, out: Path) -> None:
    """Refuses a folder in which `predict` would overwrite what is not of this network and these photos.

    Raises:
        UserError: It would.
    """
    keys, _ = _keys(photos, out)
    cache.check(out, segmenter.network.fingerprint(), keys.values())


def plan(photos: Sequence[Photo], out: Path) -> str:
    """What `predict` would do, in words; nothing is written."""
    keys, missing = _keys(photos, out)
    names = results_folder.mask_names([photo.name for photo in photos])
    lines = [
        f'{photo.name} -> {out / mask}{" (looked at already)" * bool(cache.load(out, keys[photo.name]))}'
        for photo, mask in zip(photos, names, strict=True)
        if photo.name in keys
    ]
    lines += [f'{one.name}: would be skipped, {one.reason}' for one in missing]
    return '\n'.join([*map(printable, lines), f'{len(photos)} photos; nothing written'])


def predict(
    photos: Sequence[Photo], segmenter: CoSegmenter, out: Path, settings: Settings, command: str = ''
) -> Outcome:
    """Writes masks, cut-outs, groups, report.html, annotations and, when all else is there, pairs.json.

    What was done by an earlier call that was stopped, or with other settings, is not done again. Files that
    cannot be read are skipped and listed. What a person has changed in the folder is left, or set aside where
    it is of another photo; what is of photos that are gone is removed (`own_files`).

    Args:
        photos: From `collection.find`.
        segmenter: The network.
        out: Folder that exists, and that `check` lets pass.
        settings: Remembered in the folder. Where not all pairs are decided, the report is an overview.
        command: That the report shows for another threshold.

    Raises:
        UserError: `out` cannot be written, or fewer than two photos can be read.
    """
    cache.begin(out, segmenter.network.fingerprint())
    own = own_files.read(out)
    keys, skipped = _keys(photos, out)
    cache.write_keys(out, {photo.path: keys[photo.name] for photo in photos if photo.name in keys})
    skipped += _describe(segmenter, [photo for photo in photos if photo.name in keys], keys, out)
    skipped.sort()
    unread = {one.name for one in skipped}
    used = [photo for photo in photos if photo.name not in unread]
    if len(used) < 2:
        first = f'{skipped[0].name}: {skipped[0].reason}'
        raise UserError(f'{len(used)} of {len(photos)} photos can be read, and a pair takes two ({first})')
    settings_file.remember(out, settings)

    def described(index: int) -> Described:
        one = cache.load(out, keys[used[index].name])
        if one is None:
            raise UserError(f'{out}: the description of {used[index].name} is gone; start again')
        return one

    segmenter = dataclasses.replace(
        segmenter,
        mask_threshold=settings.mask_threshold,
        keep_outliers=settings.keep_outliers,
        refine=settings.refine,
    )
    names = tuple(photo.name for photo in used)
    paths = [photo.path for photo in used]
    near = settings.neighbors or None
    found = segmenter.relate(names, paths, OnDemand(described, range(len(used))), settings.threshold, near)
    masks = results_folder.mask_names(names)
    cutouts = results_folder.cutout_names(names)
    photo_keys = [keys[name] for name in names]
    without = frozenset(() if settings.keep_outliers else found.outliers)
    rule = f'object from {found.mask_threshold:g}{", refined" * settings.refine}'
    beside = _partners(found, photo_keys) if isinstance(segmenter.network, PartnerNetwork) else {}
    made_of = ['null' if index in without else rule + beside.get(index, '') for index in range(len(names))]
    _write_pictures(own, found, masks, cutouts, photo_keys, made_of, without)
    cutouts = ['' if index in without else cutout for index, cutout in enumerate(cutouts)]
    placed = group_folders.placed(found, names)
    copies = _write_groups(own, placed, paths, photo_keys, settings.groups)
    table = group_folders.table(found, masks, cutouts)
    own.place('groups.csv', lambda path: path.write_text(table, encoding='utf-8'))
    own.place('report.html', lambda path: _write_page(path, found, command))
    annotations = _write_annotations(own, found, paths, photo_keys, settings.annotations)
    seen = ((name, described(index).blank) for index, name in enumerate(names))
    doubtful = [Skipped(name, blank) for name, blank in seen if blank]
    document = results_folder.document(found, masks, settings.threshold, skipped, doubtful, own.kept)
    own.place('pairs.json', lambda path: path.write_text(files.to_json(document) + '\n', encoding='utf-8'))
    own.finish(
        [*masks, *filter(None, cutouts), *copies, *annotations, 'groups.csv', 'report.html', 'pairs.json']
    )
    return Outcome(found, document, own.summary())


def _partners(found: CoSegmentation, keys: Sequence[str]) -> dict[int, str]:
    """For each photo of a group, what tells this group from others: masks depend on it."""
    words = {}
    for members in found.groups:
        group = hashlib.sha256(' '.join(sorted(keys[index] for index in members)).encode()).hexdigest()[:16]
        words |= dict.fromkeys(members, f', beside {group}')
    return words


def _keys(photos: Sequence[Photo], out: Path) -> tuple[dict[str, str], list[Skipped]]:
    """The key of each photo's description; and what is no file, or has no name that can be written."""
    keys, skipped, known = {}, [], cache.read_keys(out)
    for photo in photos:
        try:
            photo.name.encode()
            keys[photo.name] = cache.key(photo.path, known)
        except UnicodeEncodeError:
            skipped.append(Skipped(photo.name, 'a name that is not UTF-8; rename it'))
        except OSError as error:
            skipped.append(Skipped(photo.name, f'{error.strerror}; repair it or remove it'))
    return keys, skipped


def _describe(
    segmenter: CoSegmenter, photos: Sequence[Photo], keys: dict[str, str], out: Path
) -> list[Skipped]:
    """Looks at each photo that was not looked at before, and keeps what is found as it comes."""
    todo = [photo for photo in photos if cache.load(out, keys[photo.name]) is None]
    skipped = []
    with Progress('Finding objects', len(photos), 'photos', len(photos) - len(todo)) as bar:
        for photo, found in describe_photos(segmenter, todo, bar):
            if isinstance(found, Skipped):
                skipped.append(found)
            else:
                cache.save(out, keys[photo.name], found)
    return skipped


def _write_pictures(
    own: OwnFiles,
    found: CoSegmentation,
    masks: Sequence[str],
    cutouts: Sequence[str],
    keys: Sequence[str],
    made_of: Sequence[str],
    without: frozenset[int],
) -> None:
    """Writes masks and cut-outs that are not there; photos `without` a mask have no cut-out."""
    with Progress('Writing masks and cut-outs', len(masks), 'photos') as bar:
        for index, (mask, cutout) in enumerate(zip(masks, cutouts, strict=True)):

            def write_mask(path: Path, index: int = index) -> None:
                results_folder.write_mask(path, found.masks[index])

            def write_cutout(path: Path, index: int = index) -> None:
                results_folder.write_cutout(path, found.cutouts()[index])

            own.place(mask, write_mask, photo=keys[index], made_of=made_of[index])
            if index in without:
                own.withdraw(cutout, photo=keys[index])
            else:
                own.place(cutout, write_cutout, photo=keys[index], made_of=made_of[index])
            bar.update()
            bar.restart_clock()


def _write_groups(
    own: OwnFiles, placed: Mapping[str, int], photos: Sequence[Path], keys: Sequence[str], kind: Kind
) -> list[str]:
    """Fills the folders of the groups; returns the copies, which are own files. Links are not."""
    group_folders.remove_links(own.out)
    copies = dict(placed) if kind == 'copies' else {}
    for name in [name for name in own.entries if name.startswith(f'{group_folders.FOLDER}/')]:
        if name not in copies:
            own.withdraw(name)
    for name, index in copies.items():
        own.place(name, partial(shutil.copy2, photos[index]), photo=keys[index], made_of='copy')
    if kind == 'links':
        group_folders.link(own.out, {name: photos[index] for name, index in placed.items()})
    return list(copies)


def _write_page(path: Path, found: CoSegmentation, command: str) -> None:
    title = f'{len(found.names)} photos'
    if sparse.issparse(found.probabilities):
        write_overview(path, found, threshold=found.threshold, title=title)
    else:
        write_report(path, found, threshold=found.threshold, title=title, command=command)


def _write_annotations(
    own: OwnFiles, found: CoSegmentation, photos: Sequence[Path], keys: Sequence[str], names: Sequence[str]
) -> list[str]:
    """Writes annotations in the formats of these names; returns the files."""
    written = []
    for one in formats.find_formats(names):
        for file in one.files(found, own.out / 'annotations', photos):
            written.append(f'annotations/{file.name}')
            own.place(written[-1], file.write, photo='' if file.photo is None else keys[file.photo])
    return written
