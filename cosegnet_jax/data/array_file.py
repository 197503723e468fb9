"""A data set at one size in one NumPy file, for machines without TFDS."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.files.photos import decode
from cosegnet_jax.data.stored_images import Stored
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError, first_line


def path(folder: str | Path, name: str, image_size: int) -> Path:
    """Return the file of a set in a folder, such as '<folder>/msrc/all-224.npz'."""
    return Path(folder) / f'{name}-{image_size}.npz'


def write(file: Path, examples: Examples, jpeg_quality: int | None) -> None:
    """Write a set as a whole.

    Args:
        file: From `path`; its folder is made.
        examples: The set.
        jpeg_quality: 1 to 100 stores JPEG in full color resolution; None stores lossless WebP, which takes
            twice the space of JPEG at 95.
    """
    encoded = [_encode(np.asarray(examples.images[row]), jpeg_quality) for row in range(len(examples))]
    with files.write_atomically(file) as unfinished, unfinished.open('wb') as stream:
        np.savez_compressed(
            stream,
            name=np.array(examples.name),
            classes=np.array(examples.classes),
            filenames=np.array(examples.filenames),
            labels=examples.labels,
            visible=examples.visible,
            encoded=np.frombuffer(b''.join(encoded), np.uint8),
            ends=np.cumsum([len(photo) for photo in encoded]),
            masks=np.asarray(examples.masks),
        )


def read(file: Path) -> Examples:
    """Read a set that `write` wrote; its photos are `Stored`.

    Raises:
        UserError: The file is damaged, or something else.
    """
    try:
        with file.open('rb') as stream, np.load(stream, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        return _examples(**arrays)
    except files.DAMAGED_ARRAYS as error:
        raise UserError(f'{file}: no packed data set ({first_line(error)}); pack it again') from error


def _examples(*, name, classes, filenames, labels, visible, encoded, ends, masks) -> Examples:
    starts = np.concatenate([[0], ends[:-1]])

    def photo(row: int) -> UInt8[np.ndarray, 'side side 3']:
        return decode(encoded[starts[row] : ends[row]].tobytes())

    return Examples(
        name=str(name),
        classes=tuple(classes.tolist()),
        filenames=tuple(filenames.tolist()),
        labels=labels,
        visible=visible,
        images=Stored(photo, np.arange(len(masks)), (*masks.shape[1:], 3)),
        masks=masks,
    )


def _encode(photo: UInt8[np.ndarray, 'height width 3'], jpeg_quality: int | None) -> bytes:
    file = io.BytesIO()
    if jpeg_quality is None:
        Image.fromarray(photo).save(file, 'WEBP', lossless=True)
    else:
        Image.fromarray(photo).save(file, 'JPEG', quality=jpeg_quality, subsampling=0)
    return file.getvalue()
