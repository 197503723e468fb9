"""Photos as people have them, in files or in memory, as upright RGB."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from PIL import Image

from cosegnet_jax.data.files import photos
from cosegnet_jax.data.files.image_files import load, quiet, upright
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path

Source = str | os.PathLike | Image.Image | np.ndarray | jax.Array | bytes | bytearray | memoryview | io.IOBase


def read(source: Source) -> Image.Image:
    """One photo as 8-bit RGB, turned as its EXIF orientation says; see `data.files.photos` for the rest.

    Args:
        source: The path of a file, its content as bytes, an open file, an image of Pillow, or uint8 pixels
            [h w], [h w 3] or [h w 4] of NumPy, JAX or whatever turns into an array of NumPy.

    Raises:
        UserError: The file cannot be read or has more pixels than `image_files.limit_pixels` allows, or the
            array is no picture.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        source = _opened(io.BytesIO(source))
    elif hasattr(source, 'read'):
        source = _opened(source)
    elif not isinstance(source, str | os.PathLike | Image.Image):
        source = _array(source)
    if isinstance(source, np.ndarray):
        return photos.rgb(_picture(source), Path('array'))
    if isinstance(source, Image.Image):
        return photos.rgb(upright(source).image, Path(name_of(source) or 'image'))
    path = local_path(source)
    return photos.rgb(load(path).image, path)


def name_of(source: Source) -> str:
    """The file behind a photo; '' where there is none."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    name = getattr(source, 'filename', '') or getattr(source, 'name', '')
    return name if isinstance(name, str) else ''


def several(images: Iterable[Source]) -> Iterable[Source]:
    """Refuses one photo in place of several: it would be taken apart into letters, bytes, lines or rows.

    Raises:
        UserError: It is one, or nothing that holds several.
    """
    if isinstance(images, str | os.PathLike):
        raise UserError(f'{os.fspath(images)}: give a list of photos, not one name')
    dimensions = getattr(images, 'ndim', 4)
    if isinstance(images, bytes | bytearray | memoryview | Image.Image) or hasattr(images, 'read'):
        raise UserError(f'one {type(images).__name__}: give a list of photos, not one photo')
    if dimensions < 4:
        raise UserError(f'one array of {dimensions} dimensions: give a list of photos, not one photo')
    if not isinstance(images, Iterable):
        raise UserError(f'one {type(images).__name__}: give a list of photos')
    return images


def _opened(file: Any) -> Image.Image:
    """The picture in an open file, which may be asked for again."""
    try:
        file.seek(0)
        with quiet:
            image = Image.open(file)
            image.load()
        return image
    except Exception as error:  # each decoder has its own for damage
        raise UserError(
            f'{name_of(file) or "photo in memory"}: not an image that can be read ({type(error).__name__}); '
            f'give a sound JPEG or PNG'
        ) from error


def _array(source: Any) -> np.ndarray:
    if not hasattr(source, '__array__'):
        raise UserError(
            f'{type(source).__name__}: no photo; give a path, bytes, an open file, an image of Pillow or an '
            f'array of uint8'
        )
    return np.asarray(source)


def _picture(pixels: np.ndarray) -> Image.Image:
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,), (4,)):
        raise UserError(
            f'an array of shape {pixels.shape} and type {pixels.dtype}: no picture; '
            f'give uint8 of shape (height, width), (height, width, 3) or (height, width, 4)'
        )
    if not pixels.size:
        raise UserError(f'an array of shape {pixels.shape}: has no pixels')
    return Image.fromarray(pixels)
