"""One photo and its mask, from the many kinds of files that people keep, as plain 8-bit arrays.

Photos become RGB: turned as their EXIF orientation says, transparency laid over white, gray of more than
8 bits scaled by the bits in use; of an animation the first picture counts. `masks` says what a mask may be,
and `orientation` how it is turned with its photo.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from cosegnet_jax.data.files.image_files import LoadedImage, is_plain, load, quiet
from cosegnet_jax.data.files.orientation import MaskOrientation, fit_mask, swaps_sides
from cosegnet_jax.data.masks.mask_reading import Meaning, mark_object
from cosegnet_jax.runtime.errors import UserError

_WHITES = (255, 1023, 4095, 16383, 65535)  # the largest levels of 8, 10, 12, 14 and 16 bits
_DARK, _LIGHT = 12, 243  # levels that show next to nothing
_THROUGHOUT = 0.995  # of the pixels


class PhotoAndMask(NamedTuple):
    """A photo and its mask, both upright and at the photo's own size."""

    photo: UInt8[np.ndarray, 'height width 3']
    mask: UInt8[np.ndarray, 'height width']
    turn_assumed: bool  # whether the mask fits the photo both as shown and as stored, and nothing decides


def read(
    photo: Path, mask: Path, meaning: Meaning = mark_object, orientation: MaskOrientation = 'auto'
) -> PhotoAndMask:
    """A photo as RGB, and its mask.

    Args:
        photo: File of the photo.
        mask: File of the mask.
        meaning: What the pixels of a mask stand for.
        orientation: Whether masks are drawn on photos as they are shown or as they are stored, where
            neither the mask nor its size tells; 'auto' is as shown.

    Raises:
        UserError: A file cannot be read or used, or the mask has another size; the message names it.
    """
    seen, drawn = load(photo), load(mask)
    size = seen.image.size
    fitting, assumed = fit_mask(drawn.image, drawn.orientation, size, seen.orientation, orientation)
    if fitting is None:
        stored = (size[1], size[0]) if swaps_sides(seen.orientation) else size
        as_stored = '' if stored == size else f' ({_by(stored)} as stored)'
        raise UserError(
            f'{mask}: {_by(drawn.image.size)} pixels, but {photo} has {_by(size)}{as_stored}; '
            f'a mask has the size of its photo'
        )
    values = meaning(LoadedImage(fitting, None, drawn.noise), mask)
    return PhotoAndMask(np.asarray(rgb(seen.image, photo)), values, assumed)


def encode(photo: Path, mask: Path, meaning: Meaning) -> tuple[bytes, UInt8[np.ndarray, 'height width']]:
    """What `read` reads, the photo as bytes: `encode_photo`."""
    found = read(photo, mask, meaning)
    return encode_photo(photo, found.photo), found.mask


def encode_photo(photo: Path, pixels: UInt8[np.ndarray, 'height width 3']) -> bytes:
    """Bytes from which every reader of JPEG and PNG gets the pixels that `read` got from the file.

    They are the file itself if it is plain: upright 8-bit RGB without transparency. Else they are a PNG.
    """
    data = photo.read_bytes()
    return data if is_plain(data) else png(pixels)


def png(pixels: UInt8[np.ndarray, 'height width 3'] | UInt8[np.ndarray, 'height width']) -> bytes:
    """A PNG of RGB or of single values."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, 'PNG')
    return file.getvalue()


def decode(data: bytes) -> UInt8[np.ndarray, 'height width 3'] | UInt8[np.ndarray, 'height width']:
    """The pixels behind what `encode` or `png` returned, or of a WebP.

    They may be more than `image_files.limit_pixels` allows: `encode` has read them before.
    """
    unlimited = {b'\x89P': PngImageFile, b'\xff\xd8': JpegImageFile}  # `Image.open` would count pixels
    with quiet:
        return np.asarray(unlimited.get(data[:2], Image.open)(io.BytesIO(data)))


def squash_photo(pixels: UInt8[np.ndarray, 'height width 3'], side: int) -> UInt8[np.ndarray, 'side side 3']:
    """A square of `side` pixels, resized bilinearly with antialiasing."""
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR))


def squash_mask(values: UInt8[np.ndarray, 'height width'], side: int) -> UInt8[np.ndarray, 'side side']:
    """A square of `side` pixels, each the value of the nearest."""
    return np.asarray(Image.fromarray(values).resize((side, side), Image.Resampling.NEAREST))


def find_blank(pixels: UInt8[np.ndarray, 'height width 3']) -> str | None:
    """Says that a photo is nearly black or nearly white throughout; None if it shows something."""
    for word, blank in (('black', pixels <= _DARK), ('white', pixels >= _LIGHT)):
        if blank.mean() >= _THROUGHOUT:
            return f'nearly {word} throughout'
    return None


def rgb(image: Image.Image, path: Path) -> Image.Image:
    """An image as 8-bit RGB; `path` is for messages.

    Raises:
        UserError: Its pixels are floating point numbers that are not from 0 to 1.
    """
    if image.mode == 'F' or image.mode.startswith('I'):
        image = Image.fromarray(_eight_bits(np.asarray(image), path))
    if not image.has_transparency_data:
        return image.convert('RGB')
    image = image.convert('RGBA')
    return Image.alpha_composite(Image.new('RGBA', image.size, 'white'), image).convert('RGB')


def _by(size: tuple[int, int]) -> str:
    return f'{size[0]}x{size[1]}'


def _eight_bits(levels: Shaped[np.ndarray, 'height width'], path: Path) -> UInt8[np.ndarray, 'height width']:
    """Gray levels of more than 8 bits as 8-bit ones, scaled by the bits in use.

    Cameras of science and of medicine put 10, 12 or 14 bits into files of 16 or 32, where they would be
    black. Of levels below 0 and above 16 bits, the range in use is black to white.
    """
    if levels.dtype.kind == 'f':
        if not (np.isfinite(levels).all() and levels.min() >= 0 and levels.max() <= 1):
            raise UserError(
                f'{path}: its pixels are floating point numbers that are not from 0 to 1; '
                f'save it with 8 bits a channel'
            )
        return np.round(levels * 255).astype(np.uint8)
    levels = levels.astype(np.int64)
    black, largest = min(int(levels.min()), 0), int(levels.max())
    white = largest if black < 0 else next((white for white in _WHITES if largest <= white), largest)
    return ((levels - black) * 255 // max(white - black, 1)).astype(np.uint8)
