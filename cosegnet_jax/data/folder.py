"""Photos and masks in class folders, paired by name: `images/<class>/*` beside `masks/<class>/*`."""

from __future__ import annotations

import functools
import hashlib
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cosegnet_jax.data.examples import NO_CLASS, Examples
from cosegnet_jax.data.files import image_files, photos
from cosegnet_jax.data.files.left_out import is_left_out
from cosegnet_jax.data.files.remarks import Doubts, write_remarks
from cosegnet_jax.data.masks.mask_reading import mark_object
from cosegnet_jax.data.masks.mask_rules import BY_FILE, MaskRules
from cosegnet_jax.data.stored_images import in_threads
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.names import compose


class Pair(NamedTuple):
    """Files of an image in a class folder."""

    photo: Path
    mask: Path


class Photo(NamedTuple):
    """One photo, and its files in each class that it is filed under."""

    classes: tuple[str, ...]
    pairs: tuple[Pair, ...]

    @property
    def filename(self) -> str:
        """Its name in results: '<class>/<stem>' with its first class."""
        return f'{self.classes[0]}/{compose(self.pairs[0].photo.stem)}'

    def read(self, rules: MaskRules) -> photos.PhotoAndMask:
        """Read the photo, and a mask with k on the object of class number k; where two overlap, the first.

        Raises:
            UserError: A file cannot be used; the message names it.
        """
        found = [
            photos.read(
                *pair, functools.partial(mark_object, ranges=rules.values.of(name)), rules.orientation
            )
            for name, pair in zip(self.classes, self.pairs, strict=True)
        ]
        mask = found[0].mask
        for k, other in enumerate(found[1:], 2):
            mask = np.where(mask, mask, np.uint8(k) * other.mask)
        return photos.PhotoAndMask(found[0].photo, mask, any(one.turn_assumed for one in found))


class Listing(NamedTuple):
    """Photos in class folders."""

    classes: dict[str, list[Pair]]
    problems: list[str]  # lines about the other photos and folders: which, what is wrong, what to do
    left_out: Counter[str]  # files in folders that `left_out` knows, by the name of the folder


def load(root: str | Path, image_size: int, rules: MaskRules = BY_FILE) -> Examples:
    """Read every photo and its mask, squashed to a square, into memory.

    `files.photos` says what a photo and a mask may be. Files whose names start with a dot, files without the
    suffix of an image, and masks without a photo are skipped. Symbolic links are followed.

    Copies of one photo in several classes become one image of all these classes. Otherwise it could be in
    training under one class and in the test part under another, and be its own negative.

    Args:
        root: The folder; its name becomes the name of the data set.
        image_size: Side of the square in pixels.
        rules: How to read masks where their files do not tell.

    Raises:
        UserError: A folder, photo or mask is missing, cannot be read or does not fit; the message names it.
    """
    root = Path(root).resolve()
    classes, problems, left_out = listing(root / 'images', root / 'masks')
    lonely = [
        f'{root / "images" / name}: {len(pairs)} photo(s), and a pair takes two; '
        f'add photos or remove the class folder'
        for name, pairs in classes.items()
        if len(pairs) < 2
    ]
    for problem in problems + lonely:
        raise UserError(problem)
    found = distinct(classes)
    labels = np.full((len(found), max(len(photo.classes) for photo in found)), NO_CLASS)
    visible = np.zeros(labels.shape, bool)
    images = np.empty((len(found), image_size, image_size, 3), np.uint8)
    masks = np.empty((len(found), image_size, image_size), np.uint8)
    doubts: dict[str, Doubts] = dict.fromkeys((photo.filename for photo in found), Doubts())

    def read(row: int) -> None:
        names = found[row].classes
        photo, mask, turn_assumed = found[row].read(rules)
        doubts[found[row].filename] = Doubts(turn_assumed, photos.find_blank(photo))
        labels[row, : len(names)] = [list(classes).index(name) for name in names]
        # At full size, so that splits do not depend on the image size.
        visible[row, : len(names)] = [(mask == k).any() for k in range(1, len(names) + 1)]
        images[row] = photos.squash_photo(photo, image_size)
        masks[row] = photos.squash_mask(mask, image_size)

    in_threads(read, len(found))
    return Examples(
        name=root.name,
        classes=tuple(classes),
        filenames=tuple(photo.filename for photo in found),
        labels=labels,
        visible=visible,
        images=images,
        masks=masks,
        remarks=tuple(write_remarks(doubts, left_out)),
    )


def distinct(classes: dict[str, list[Pair]]) -> list[Photo]:
    """List the photos in order; copies of one file in several classes are one photo."""
    sizes = Counter(pair.photo.stat().st_size for pairs in classes.values() for pair in pairs)
    found: dict[object, Photo] = {}
    for name, pairs in classes.items():
        for pair in pairs:
            alone = sizes[pair.photo.stat().st_size] == 1
            key = pair.photo if alone else hashlib.sha256(pair.photo.read_bytes()).digest()
            before = found.get(key, Photo((), ()))
            if name in before.classes:  # copies in one class are separate photos
                key, before = pair.photo, Photo((), ())
            found[key] = Photo((*before.classes, name), (*before.pairs, pair))
    return list(found.values())


def listing(images: Path, masks: Path) -> Listing:
    """List the photos in the folders of `images`, and their masks in folders of the same names in `masks`.

    Raises:
        UserError: A folder is missing, or there is no class.
    """
    for folder in (images.parent, images, masks):
        if not folder.is_dir():
            raise UserError(
                f'{folder}: no such folder; a data set is a folder with {images.name}/<class>/* '
                f'and {masks.name}/<class>/<stem>.png'
            )
    left_out = Counter({one.name: _count(one) for one in _folders(images) if is_left_out(one.name)})
    folders = [one for one in _folders(images) if one.name not in left_out]
    if not folders:
        raise UserError(f'{images}: no class in it; make one folder per class, with photos in it')
    classes, problems = {}, []
    drawn = {compose(path.name): path for path in _folders(masks)}
    for folder in folders:
        if _dangling(folder):
            problems.append(_nowhere(folder))
            continue
        name = compose(folder.name)
        if name in classes:
            problems.append(f'{folder}: a second folder of this name, spelled in other bytes; rename it')
            continue
        classes[name], unpaired = pair_up(folder, drawn.get(name, masks / folder.name))
        problems += unpaired
    return Listing(classes, problems, left_out)


def pair_up(images: Path, masks: Path) -> tuple[list[Pair], list[str]]:
    """Pair the photos of one class with their masks, sorted by name; and describe the other photos."""
    if _dangling(masks):
        return [], [_nowhere(masks)]
    drawn = _by_stem(masks) if masks.is_dir() else {}
    pairs, problems, stems = [], [], _by_stem(images)
    for stem, found in stems.items():
        problem = _problem(found, drawn.get(stem, []), masks)
        if problem:
            problems.append(problem)
        else:
            pairs.append(Pair(found[0], drawn[stem][0]))
    raw = _visible(images, lambda path: path.suffix.lower() in image_files.RAW)
    problems += [f'{path}: {image_files.RAW_ADVICE}' for path in raw if compose(path.stem) not in stems]
    return pairs, problems


def _problem(found: list[Path], drawn: list[Path], masks: Path) -> str | None:
    """Say why the photos and masks of one stem are no pair."""
    photo = found[0]
    if not _is_utf8(photo):
        return f'{os.fsencode(photo)}: a name that is not UTF-8; rename it'
    for path in (*found, *drawn):
        if _dangling(path):
            return _nowhere(path)
    if len(found) > 1:
        return f'{photo} and {found[1].name} would share the mask {photo.stem}.png; rename one of them'
    if not drawn:
        return (
            f'{masks / photo.stem}.png: missing mask of {photo}; add it (all black if the photo lacks the '
            f'object) or remove the photo'
        )
    if len(drawn) > 1:
        return f'{drawn[0]} and {drawn[1].name} are both masks of {photo}; remove one of them'
    return None


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    """List the image files of a folder by composed stem, sorted by name."""
    stems: dict[str, list[Path]] = {}
    for path in _visible(folder, lambda path: path.is_file() or _dangling(path)):
        if path.suffix.lower() in image_files.SUFFIXES:
            stems.setdefault(compose(path.stem), []).append(path)
    return stems


def _folders(folder: Path) -> list[Path]:
    return _visible(folder, lambda path: path.is_dir() or _dangling(path))


def _count(folder: Path) -> int:
    """Count the image files in a folder."""
    return sum(map(len, _by_stem(folder).values()))


def _visible(folder: Path, kind: Callable[[Path], bool]) -> list[Path]:
    return sorted(path for path in folder.iterdir() if kind(path) and not path.name.startswith('.'))


def _is_utf8(path: Path) -> bool:
    # Bytes that Python could not decode are surrogates.
    return not any('\ud800' <= letter <= '\udfff' for letter in str(path))


def _dangling(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _nowhere(link: Path) -> str:
    return f'{link}: a symbolic link to {os.readlink(link)}, which is not there; repair it or remove it'
