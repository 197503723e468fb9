"""One photo and its mask, from the many kinds of files that people keep, as plain 8-bit arrays.

Photos become RGB: turned as their EXIF orientation says, transparency laid over white, 16-bit gray divided
by 257; of an animation the first picture counts.

A mask has the size of its photo, either as shown or as stored: where the two differ and the mask fits the
stored pixels, it is turned with the photo.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageOps

from cosegnet_jax.runtime.errors import UserError

# Files of other kinds are passed over. Pillow reads HEIC with a plugin only; without it they are an
# error rather than photos that are missing and nobody noticed.
SUFFIXES = frozenset(
    {'.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.bmp', '.webp', '.tif', '.tiff', '.gif', '.ppm', '.pgm'}
    | {'.jp2', '.avif', '.heic', '.heif'}
)
_VOID = 255  # in a palette mask: a border that PASCAL VOC leaves undecided
_COLORED = 32  # levels between the channels of a pixel; a lossy format leaves fewer in a gray one
_TURNING = range(2, 9)  # EXIF orientations that turn or mirror; 1 is upright

Meaning = Callable[[Image.Image, Path], UInt8[np.ndarray, 'height width']]


def marked(mask: Image.Image, path: Path) -> UInt8[np.ndarray, 'height width']:
    """1 where the object is.

    In palette images that is every index but 0; index 255 beside others that are not 0 is PASCAL VOC's
    undecided border and counts as background. In other images it is every value but 0 where nothing exceeds
    1, else gray levels of 128 and more, which takes 0/255 with or without the noise of a lossy format.
    Transparency counts as black.

    Raises:
        UserError: The pixels look like class numbers or colors.
    """
    if mask.mode == 'P':
        index = np.asarray(mask)
        inside = (index != 0) & (index != _VOID)
        return (inside if inside.any() else index != 0).astype(np.uint8)
    gray = _gray(mask, path)
    if gray.max() <= 1:
        return gray
    bright = gray >= 128
    # Noise and soft edges leave values on both sides of 255's neighborhood; class numbers do not.
    if not (bright & (gray < 255)).any() and ((gray > 0) & ~bright).any():
        raise UserError(
            f'{path}: gray levels up to {gray[~bright].max()} look like class numbers; '
            f'save the mask with 0 for background and 255 for the object'
        )
    return bright.astype(np.uint8)


def indices(mask: Image.Image, path: Path) -> UInt8[np.ndarray, 'height width']:
    """The class of each pixel in a mask of PASCAL VOC; the undecided border counts as background, 0.

    Raises:
        UserError: The image has no palette, so that its values are not indices.
    """
    if mask.mode != 'P':
        raise UserError(f'{path}: no palette image; take SegmentationClass as the archive has it')
    index = np.asarray(mask)
    return np.where(index == _VOID, 0, index).astype(np.uint8)


def read(
    photo: Path, mask: Path, meaning: Meaning = marked
) -> tuple[UInt8[np.ndarray, 'height width 3'], UInt8[np.ndarray, 'height width']]:
    """A photo as RGB, and its mask, both upright and at the photo's own size.

    Args:
        photo: File of the photo.
        mask: File of the mask.
        meaning: What the pixels of a mask stand for, given the image and its path for messages.

    Raises:
        UserError: A file cannot be read or used, or the mask has another size; the message names it.
    """
    stored, drawn = load(photo), load(mask)
    upright = ImageOps.exif_transpose(stored)
    if drawn.size != upright.size and drawn.size == stored.size:
        drawn.getexif()[ExifTags.Base.Orientation] = stored.getexif()[ExifTags.Base.Orientation]
        drawn = ImageOps.exif_transpose(drawn)
    if drawn.size != upright.size:
        raise UserError(
            f'{mask}: {_by(drawn.size)} pixels, but {photo} has {_by(upright.size)}; '
            f'a mask has the size of its photo'
        )
    return np.asarray(rgb(upright, photo)), meaning(drawn, mask)


def encode(
    photo: Path, mask: Path, meaning: Meaning = marked
) -> tuple[bytes, UInt8[np.ndarray, 'height width']]:
    """What `read` reads, the photo as bytes: `encode_photo`."""
    pixels, values = read(photo, mask, meaning)
    return encode_photo(photo, pixels), values


def encode_photo(photo: Path, pixels: UInt8[np.ndarray, 'height width 3']) -> bytes:
    """Bytes from which every reader of JPEG and PNG gets the pixels that `read` got from the file.

    They are the file itself if it is plain: upright 8-bit RGB without transparency. Else they are a PNG.
    """
    data = photo.read_bytes()
    return data if _is_plain(data) else png(pixels)


def png(pixels: UInt8[np.ndarray, 'height width 3'] | UInt8[np.ndarray, 'height width']) -> bytes:
    """A PNG of RGB or of single values."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, 'PNG')
    return file.getvalue()


def decode(data: bytes) -> UInt8[np.ndarray, 'height width 3'] | UInt8[np.ndarray, 'height width']:
    """The pixels behind what `encode` or `png` returned."""
    return np.asarray(Image.open(io.BytesIO(data)))


def squash_photo(pixels: UInt8[np.ndarray, 'height width 3'], side: int) -> UInt8[np.ndarray, 'side side 3']:
    """A square of `side` pixels, resized bilinearly with antialiasing."""
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR))


def squash_mask(values: UInt8[np.ndarray, 'height width'], side: int) -> UInt8[np.ndarray, 'side side']:
    """A square of `side` pixels, each the value of the nearest."""
    return np.asarray(Image.fromarray(values).resize((side, side), Image.Resampling.NEAREST))


def _by(size: tuple[int, int]) -> str:
    return f'{size[0]}x{size[1]}'


def load(path: Path) -> Image.Image:
    """The image in a file with all its pixels read, so that no later step can fail on the file.

    Raises:
        UserError: It cannot be read.
    """
    size = _size(path)
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # the latter where it is an error
        raise UserError(
            f'{path}: so many pixels that it may be made to exhaust the memory; make it smaller or remove it'
        ) from None
    except Exception as error:  # each decoder has its own for damage: OSError, SyntaxError, RuntimeError, ...
        problem = 'not an image that can be read' if size else 'an empty file'
        raise UserError(
            f'{path}: {problem} ({type(error).__name__}); replace it by a sound JPEG or PNG, or remove it'
        ) from error


def _size(path: Path) -> int:
    """Bytes of a file."""
    try:
        status = os.stat(path)
    except FileNotFoundError as error:
        raise UserError(f'{path}: no such file; give it or remove the link to it') from error
    except OSError as error:  # too long a name, or a folder that may not be entered
        raise UserError(f'{path}: {error.strerror}; give a file that can be read') from error
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):  # opening it might wait for ever
        raise UserError(f'{path}: a pipe, a socket or a device and no file; remove it')
    return status.st_size


def _is_plain(data: bytes) -> bool:
    with Image.open(io.BytesIO(data)) as image:
        return (
            image.format in ('JPEG', 'MPO', 'PNG')  # MPO: a JPEG with more behind it
            and image.mode == 'RGB'
            and not image.has_transparency_data
            and image.getexif().get(ExifTags.Base.Orientation) not in _TURNING
            and not (image.format == 'PNG' and data[24] == 16)  # bits a channel, which the mode does not tell
        )


def rgb(image: Image.Image, path: Path) -> Image.Image:
    """An image as 8-bit RGB; `path` is for messages.

    Raises:
        UserError: Its pixels are floating point numbers.
    """
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
    """16-bit gray levels as 8-bit ones; Pillow itself would clip them at 255."""
    return (np.clip(values, 0, 65535) // 257).astype(np.uint8)


def _gray(mask: Image.Image, path: Path) -> UInt8[np.ndarray, 'height width']:
    if mask.mode == '1':
        return np.asarray(mask).astype(np.uint8)
    if mask.mode.startswith('I') or mask.mode == 'F':
        values = np.asarray(mask)
        return _eight_bits(values) if values.max() > 255 else values.astype(np.uint8)
    if mask.mode == 'L':
        return np.asarray(mask)
    channels = np.asarray(_over(mask, 'black'))
    if np.ptp(channels, axis=-1).max() > _COLORED:
        raise UserError(f'{path}: a mask in color; save it with 0 for background and 255 for the object')
    return channels[..., 0]
