"""A data set from a folder: `images/<class>/*` beside `masks/<class>/<stem>.png`."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageOps

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.errors import UserError

# Files of other kinds are passed over. Pillow reads HEIC with a plugin only; without it they are an
# error rather than photos that are missing and nobody noticed.
_PHOTOS = frozenset(
    {'.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.bmp', '.webp', '.tif', '.tiff', '.gif', '.ppm', '.pgm'}
    | {'.jp2', '.avif', '.heic', '.heif'}
)
_VOID = 255  # in a palette mask: a border that PASCAL VOC leaves undecided


class _Entry(NamedTuple):
    photo: Path
    mask: Path


def load(root: str | Path, image_size: int) -> Examples:
    """Reads every photo and its mask, squashed to a square, into memory.

    Photos become 8-bit RGB: turned as their EXIF orientation says, transparency laid over white, 16-bit
    grey divided by 257; of an animation the first picture counts. They are resized bilinearly with
    antialiasing, masks by nearest neighbour.

    A mask has the size of its photo, either as shown or as stored: where the two differ and the mask fits
    the stored pixels, it is turned with the photo. What is object in it:

    - palette images: every index but 0; index 255 beside others that are not 0 is PASCAL VOC's undecided
      border and counts as background;
    - other images: every value but 0 where nothing exceeds 1, else grey levels of 128 and more, which
      takes 0/255 with or without the noise of a lossy format. Transparency counts as black.

    Files whose names start with a dot, and files that are no photos by their suffix, are passed over.

    Args:
        root: The folder; its name becomes the name of the data set.
        image_size: Side of the square in pixels.

    Raises:
        UserError: A folder, photo or mask is missing, cannot be read or does not fit; the message names it.
    """
    root = Path(root).resolve()
    for folder in (root, root / 'images', root / 'masks'):
        if not folder.is_dir():
            raise UserError(
                f'{folder}: no such folder; a data set is a folder with images/<class>/* '
                f'and masks/<class>/<stem>.png'
            )
    folders = _visible(root / 'images', Path.is_dir)
    members = {folder.name: _entries(folder, root / 'masks') for folder in folders}
    if not members:
        raise UserError(f'{root / "images"}: no class in it; make one folder per class, with photos in it')
    entries = [entry for name in members for entry in members[name]]

    images = np.empty((len(entries), image_size, image_size, 3), np.uint8)
    masks = np.empty((len(entries), image_size, image_size), np.uint8)

    def read(index: int) -> None:
        images[index], masks[index] = _read(entries[index], image_size)

    # Pillow decodes and resizes outside the interpreter's lock.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(read, range(len(entries))):
            pass
    return Examples(
        name=root.name,
        classes=tuple(members),
        filenames=tuple(f'{entry.photo.parent.name}/{entry.photo.stem}' for entry in entries),
        labels=np.repeat(np.arange(len(members)), [len(members[name]) for name in members]),
        images=images,
        masks=masks,
    )


def _visible(folder: Path, kind: Callable[[Path], bool]) -> list[Path]:
    return sorted(path for path in folder.iterdir() if kind(path) and not path.name.startswith('.'))


def _entries(folder: Path, masks: Path) -> list[_Entry]:
    """The photos of a class folder with their masks, by name."""
    photos = [path for path in _visible(folder, Path.is_file) if path.suffix.lower() in _PHOTOS]
    if len(photos) < 2:
        raise UserError(
            f'{folder}: {len(photos)} photo(s), and a pair takes two; add photos or remove the class folder'
        )
    by_stem: dict[str, Path] = {}
    for photo in photos:
        if photo.stem in by_stem:
            raise UserError(
                f'{by_stem[photo.stem]} and {photo.name} would share the mask {photo.stem}.png; '
                f'rename one of them'
            )
        by_stem[photo.stem] = photo
    entries = [_Entry(photo, masks / folder.name / f'{photo.stem}.png') for photo in photos]
    for photo, mask in entries:
        if not mask.is_file():
            raise UserError(
                f'{mask}: missing mask of {photo}; add it (all black if the photo lacks the object) '
                f'or remove the photo'
            )
    return entries


def _read(
    entry: _Entry, side: int
) -> tuple[UInt8[np.ndarray, '{side} {side} 3'], UInt8[np.ndarray, '{side} {side}']]:
    stored = _decode(entry.photo)
    photo, mask = ImageOps.exif_transpose(stored), _decode(entry.mask)
    if mask.size != photo.size and mask.size == stored.size:
        mask.getexif()[ExifTags.Base.Orientation] = stored.getexif()[ExifTags.Base.Orientation]
        mask = ImageOps.exif_transpose(mask)
    if mask.size != photo.size:
        raise UserError(
            f'{entry.mask}: {_by(mask.size)} pixels, but {entry.photo} has {_by(photo.size)}; '
            f'a mask has the size of its photo'
        )
    small = _rgb(photo, entry.photo).resize((side, side), Image.Resampling.BILINEAR)
    marked = Image.fromarray(_object(mask, entry.mask)).resize((side, side), Image.Resampling.NEAREST)
    return np.asarray(small), np.asarray(marked)


def _by(size: tuple[int, int]) -> str:
    return f'{size[0]}x{size[1]}'


def _decode(path: Path) -> Image.Image:
    """The image with all its pixels read, so that no later step can fail on the file."""
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except Image.DecompressionBombError:
        raise UserError(
            f'{path}: so many pixels that it may be made to exhaust the memory; make it smaller or remove it'
        ) from None
    except Exception as error:  # each decoder has its own for damage: OSError, SyntaxError, RuntimeError, ...
        problem = 'an empty file' if not path.stat().st_size else 'not an image that can be read'
        raise UserError(
            f'{path}: {problem} ({type(error).__name__}); replace it by a sound JPEG or PNG, or remove it'
        ) from error


def _rgb(image: Image.Image, path: Path) -> Image.Image:
    """8-bit RGB."""
    if image.mode == 'F':
        raise UserError(f'{path}: its pixels are floating point numbers; save it with 8 bits a channel')
    if image.mode.startswith('I'):
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    return _over(image, 'white')


def _over(image: Image.Image, ground: str) -> Image.Image:
    """RGB, with transparency laid over a plain ground."""
    if not image.has_transparency_data:
        return image.convert('RGB')
    image = image.convert('RGBA')
    return Image.alpha_composite(Image.new('RGBA', image.size, ground), image).convert('RGB')


def _eight_bits(values: np.ndarray) -> UInt8[np.ndarray, 'height width']:
    """16-bit grey levels as 8-bit ones; Pillow itself would clip them at 255."""
    return (np.clip(values, 0, 65535) // 257).astype(np.uint8)


def _object(mask: Image.Image, path: Path) -> UInt8[np.ndarray, 'height width']:
    """1 where the object is, by the rules in `load`."""
    if mask.mode == 'P':
        index = np.asarray(mask)
        marked = index != 0
        border = index == _VOID
        return (marked & ~border if (marked & ~border).any() else marked).astype(np.uint8)
    grey = _grey(mask, path)
    if grey.max() <= 1:
        return grey
    bright = grey >= 128
    # Noise and soft edges leave values on both sides of 255's neighbourhood; class numbers do not.
    if not (bright & (grey < 255)).any() and ((grey > 0) & ~bright).any():
        raise UserError(
            f'{path}: grey levels up to {grey[~bright].max()} look like class numbers; '
            f'save the mask with 0 for background and 255 for the object'
        )
    return bright.astype(np.uint8)


def _grey(mask: Image.Image, path: Path) -> UInt8[np.ndarray, 'height width']:
    if mask.mode == '1':
        return np.asarray(mask).astype(np.uint8)
    if mask.mode.startswith('I') or mask.mode == 'F':
        values = np.asarray(mask)
        return _eight_bits(values) if values.max() > 255 else values.astype(np.uint8)
    if mask.mode == 'L':
        return np.asarray(mask)
    channels = np.asarray(_over(mask, 'black'))
    if np.ptp(channels, axis=-1).max() > 64:
        raise UserError(f'{path}: a mask in colour; save it with 0 for background and 255 for the object')
    return channels[..., 0]
