"""The object of a mask, decided by the content of its file: transparency, colors, levels.

Certain cases are accepted. Others are refused by name, and the message says what to do: set the key
`mask_values` (`mask_rules`), or save the mask in another way.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Integer, Shaped, UInt8
from PIL import Image

from cosegnet_jax.data.files.image_files import LoadedImage
from cosegnet_jax.data.masks.mask_levels import UnclearLevelsError, find_object
from cosegnet_jax.data.masks.mask_rules import Ranges, select
from cosegnet_jax.runtime.errors import UserError

# Turns the file of a mask, upright, into values; the path is for messages.
Meaning = Callable[[LoadedImage, Path], UInt8[np.ndarray, 'height width']]

_VOID = 255  # in a palette mask: a border that PASCAL VOC leaves undecided
_VOID_COLOR = (224, 224, 192)  # that border's color
_GRAY = 32  # levels between the channels of a pixel; a lossy format leaves fewer in a gray one
_FLAT_COLORS = 16  # a drawing has at most so many; a photo that is cut out has more
_SAVE = 'save it with 0 for background and 255 for the object'
_NUMBERS = f'name those of the object, as in mask_values=1 (docs/data.md), or {_SAVE}'


def mark_object(
    mask: LoadedImage, path: Path, ranges: Ranges | None = None
) -> UInt8[np.ndarray, 'height width']:
    """Mark the object with 1.

    Args:
        mask: The file of the mask.
        path: For messages.
        ranges: Numbers of the object, from the key `mask_values`; None lets the file decide.

    Raises:
        UserError: The object is not certain; the message names the file, its content, and what to do.
    """
    try:
        if ranges is not None:
            return select(_numbers(mask.image, path), ranges).astype(np.uint8)
        return _decide(mask.image, mask.noise).astype(np.uint8)
    except UnclearLevelsError as error:
        raise UserError(f'{path}: the mask {error}; {_NUMBERS}') from None


def class_numbers(mask: LoadedImage, path: Path) -> UInt8[np.ndarray, 'height width']:
    """Return the class of each pixel in a mask of PASCAL VOC; the undecided border is background, 0.

    Raises:
        UserError: The image has no palette.
    """
    if mask.image.mode != 'P':
        raise UserError(f'{path}: no palette image; take SegmentationClass as the archive has it')
    index = np.asarray(mask.image)
    return np.where(index == _VOID, 0, index).astype(np.uint8)


def _decide(image: Image.Image, noise: int | None) -> Bool[np.ndarray, 'height width']:
    if image.has_transparency_data:
        pixels = np.asarray(image.convert('RGBA'))
        if (pixels[..., 3] < 255).any():
            return _by_alpha(pixels[..., :3], pixels[..., 3], noise)
        return _by_color(pixels[..., :3], noise)
    if image.mode == 'P':
        return _by_palette(image, noise)
    if image.mode in ('1', 'L', 'F') or image.mode.startswith('I'):
        return find_object(_levels(image), noise)
    return _by_color(np.asarray(image.convert('RGB')), noise)


def _by_alpha(
    colors: UInt8[np.ndarray, 'height width 3'], alpha: UInt8[np.ndarray, 'height width'], noise: int | None
) -> Bool[np.ndarray, 'height width']:
    """Mark the opaque part, or its white part if it is black and white."""
    if not alpha.any():
        raise UnclearLevelsError('is transparent throughout')
    visible = colors[alpha >= 128] if (alpha >= 128).any() else colors[alpha > 0]
    used = _pack(visible)
    if len(used) == 1:
        opaque = find_object(alpha, noise)
        if not _agrees(colors, opaque, noise):
            raise UnclearLevelsError('has one object in its colors and another one in its transparency')
        return opaque
    if set(used.tolist()) == {0x000000, 0xFFFFFF}:
        return (colors[..., 0] == 255) & (alpha >= 128)
    if len(used) <= _FLAT_COLORS:
        raise UnclearLevelsError(f'has {len(used)} colors on transparent ground')
    return find_object(alpha, noise)  # a photo that is cut out


def _agrees(
    colors: UInt8[np.ndarray, 'height width 3'], opaque: Bool[np.ndarray, 'height width'], noise: int | None
) -> bool:
    """Tell whether the colors, hidden ones included, draw the opaque part or no object at all."""
    try:
        drawn = _by_color(colors, noise)
    except UnclearLevelsError:
        return True
    return bool(drawn.all() or not drawn.any() or (drawn & opaque).sum() >= 0.5 * (drawn | opaque).sum())


def _by_palette(image: Image.Image, noise: int | None) -> Bool[np.ndarray, 'height width']:
    """Decide by the colors of the palette; in many files the order of its entries means nothing."""
    index = np.asarray(image)
    used = np.unique(index)
    colors = np.asarray(image.convert('RGB'))
    if len(used) > 1 and len(_pack(colors.reshape(-1, 3))) == 1:
        raise UnclearLevelsError(f'has {len(used)} numbers of one color in its palette')
    black_first = not any((image.getpalette('RGB') or [0, 0, 0])[:3])
    if black_first and len(used) == 1:
        return index != 0
    if black_first and _VOID in used and len(used) > 2:
        colors = np.where((index == _VOID)[..., None], 0, colors).astype(np.uint8)
        if _is_gray(colors):  # numbers in a palette of grays: which are the object is not said
            colors = np.asarray(image.convert('RGB'))
    return _by_color(colors, noise)


def _by_color(
    colors: UInt8[np.ndarray, 'height width 3'], noise: int | None
) -> Bool[np.ndarray, 'height width']:
    if _is_gray(colors):
        # The largest channel: classes may be counted in the blue one.
        return find_object(colors.max(axis=-1), noise)
    used = _pack(colors.reshape(-1, 3))
    void = int(_pack(np.array([_VOID_COLOR], np.uint8))[0])
    objects = [color for color in used.tolist() if color not in (0, void)]
    if len(objects) == 1 and (0 in used or void in used):
        return (colors == np.array(_unpack(objects[0]), np.uint8)).all(axis=-1)
    if len(used) == 1:
        raise UnclearLevelsError('has one color throughout, which is neither black nor white')
    if len(used) == 2 and 0 not in used:
        raise UnclearLevelsError('has two colors, of which none is black')
    raise UnclearLevelsError(f'is in color, with {len(objects)} colors beside black')


def _numbers(image: Image.Image, path: Path) -> Integer[np.ndarray, 'height width']:
    """Return the number of each pixel: an index of a palette, a gray level, or the only channel in use.

    Raises:
        UserError: The mask has no such numbers.
    """
    if image.mode == 'P':
        return np.asarray(image)
    if image.mode in ('1', 'L', 'F') or image.mode.startswith('I'):
        levels = _levels(image)
        if levels.dtype.kind == 'f':
            if not (np.isfinite(levels).all() and (levels == np.round(levels)).all()):
                raise UserError(f'{path}: mask_values are whole numbers, and the mask has others; {_SAVE}')
            return levels.astype(np.int64)
        return levels
    channels = np.asarray(image.convert('RGB'))
    if (channels == channels[..., :1]).all():
        return channels[..., 0]
    if np.count_nonzero(channels.any(axis=(0, 1))) == 1:
        return channels.max(axis=-1)
    raise UserError(f'{path}: mask_values are numbers, and the mask has colors; {_SAVE}')


def _levels(image: Image.Image) -> Shaped[np.ndarray, 'height width']:
    if image.mode == '1':
        return np.asarray(image).astype(np.uint8)
    levels = np.asarray(image.convert('I') if image.mode.startswith('I;') else image)
    if levels.dtype.kind == 'f' and not np.isfinite(levels).all():
        raise UnclearLevelsError('has values that are no numbers (NaN or infinity)')
    return levels


def _is_gray(colors: UInt8[np.ndarray, 'height width 3']) -> bool:
    """Tell whether a picture is gray, maybe with the noise of a format."""
    if (colors == colors[..., :1]).all():
        return True
    if np.ptp(colors, axis=-1).max() > _GRAY:
        return False
    used = len(_pack(colors))
    return used > _FLAT_COLORS or used == len(np.unique(colors.max(axis=-1)))


def _pack(colors: UInt8[np.ndarray, '... 3']) -> Integer[np.ndarray, ' n']:
    """List the different colors as numbers 0xRRGGBB."""
    wide = colors.astype(np.uint32)
    return np.unique(wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2])


def _unpack(color: int) -> tuple[int, int, int]:
    return color >> 16, color >> 8 & 255, color & 255
