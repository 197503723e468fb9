"""Photos as people have them, in files or in memory, as upright RGB."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

from cosegnet_jax.data.files import photos
from cosegnet_jax.data.files.image_files import load, upright
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path

Source = str | os.PathLike | Image.Image | np.ndarray


def read(source: Source) -> Image.Image:
    """One photo as 8-bit RGB, turned as its EXIF orientation says; see `data.files.photos` for the rest.

    Args:
        source: A file, an image of Pillow, or uint8 pixels [h w], [h w 3] or [h w 4].

    Raises:
        UserError: The file cannot be read or has more pixels than `image_files.limit_pixels` allows, or the
            array is no picture.
    """
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
    return str(getattr(source, 'filename', ''))


def _picture(pixels: np.ndarray) -> Image.Image:
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,), (4,)):
        raise UserError(
            f'an array of shape {pixels.shape} and type {pixels.dtype}: no picture; '
            f'give uint8 of shape (height, width), (height, width, 3) or (height, width, 4)'
        )
    if not pixels.size:
        raise UserError(f'an array of shape {pixels.shape}: has no pixels')
    return Image.fromarray(pixels)
