"""Prepared sets, which `cosegnet prepare` wrote; reading takes no TensorFlow."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int, UInt8

from cosegnet_jax.data import array_file
from cosegnet_jax.data.examples import NO_CLASS, Examples
from cosegnet_jax.data.files import photos
from cosegnet_jax.data.stored_images import Stored
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.optional_import import optional_import

_RECENT = 64  # records kept: threads ask for an image and its mask in turn


def load(name: str, data_dir: str | Path, image_size: int) -> Examples:
    """Load a prepared set, squashed to squares.

    Its pixels are `Stored`, and equal to those that `folder.load` reads from the original folder.

    Args:
        name: Such as 'pascal_coseg', 'msrc/all' or 'folder/mine'.
        data_dir: Folder of prepared sets; '' is that of TFDS, ~/tensorflow_datasets or $TFDS_DATA_DIR.
        image_size: Side of the square in pixels.

    Raises:
        UserError: There is no such set, or it is not prepared.
    """
    try:
        tfds = optional_import('tensorflow_datasets', 'train')
        builders = optional_import('cosegnet_jax.data.builders', 'train')
    except UserError as error:
        packed = array_file.path(data_dir, name, image_size)
        raise UserError(f'{name}: no {packed}, and {error}, or pack the set at this size') from error

    builder = builders.make(name, data_dir)
    command = f'cosegnet prepare {name}' + (f' --data_dir={data_dir}' if data_dir else '')
    if not builder.is_prepared():
        raise UserError(f'{name}: not prepared in {builder.data_dir}; run {command}')
    if builder.info.file_format != tfds.core.FileFormat.ARRAY_RECORD:
        raise UserError(f'{builder.data_dir}: prepared in another format; remove it and run {command}')

    undecoded = {'image': tfds.decode.SkipDecoding(), 'mask': tfds.decode.SkipDecoding()}
    source = builder.as_data_source('train', decoders=undecoded)
    record = functools.lru_cache(_RECENT)(source.__getitem__)

    def image(row: int) -> UInt8[np.ndarray, 'side side 3']:
        return photos.squash_photo(photos.decode(record(row)['image']), image_size)

    def mask(row: int) -> UInt8[np.ndarray, 'side side']:
        return photos.squash_mask(photos.decode(record(row)['mask']), image_size)

    metadata = builder.info.metadata
    rows = np.arange(len(source))
    labels, visible = _tables(metadata['labels'], metadata['shares'])
    return Examples(
        name=name,
        classes=tuple(metadata['classes']),
        filenames=tuple(metadata['filenames']),
        labels=labels,
        visible=visible,
        images=Stored(image, rows, (image_size, image_size, 3)),
        masks=Stored(mask, rows, (image_size, image_size)),
        remarks=tuple(metadata.get('remarks', ())),
    )


def _tables(
    labels: list[list[int]], shares: list[list[float]]
) -> tuple[Int[np.ndarray, 'n objects'], Bool[np.ndarray, 'n objects']]:
    """Make arrays of rows of unequal length: labels, filled with NO_CLASS, and whether each has pixels."""
    shape = (len(labels), max(map(len, labels)))
    numbers, visible = np.full(shape, NO_CLASS), np.zeros(shape, bool)
    for row, (classes, parts) in enumerate(zip(labels, shares, strict=True)):
        numbers[row, : len(classes)] = classes
        visible[row, : len(parts)] = np.array(parts) > 0
    return numbers, visible
