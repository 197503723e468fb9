"""The embedded set, for trying what reads prepared sets without a download."""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import UInt8

from cosegnet_jax.data import shapes
from cosegnet_jax.data.builders.base import CosegBuilder, Row, Survey
from cosegnet_jax.data.files import photos


class Shapes(CosegBuilder):
    """Textured figures of six classes; the config says how many pixels a side has."""

    DESCRIPTION = 'Textured figures on cluttered, textured grounds, drawn by cosegnet_jax/data/shapes/.'
    LICENSE = 'Apache 2.0'
    BUILDER_CONFIGS: ClassVar = [
        tfds.core.BuilderConfig(name=str(side), description=f'50 images a class of {side} × {side} pixels.')
        for side in (64, 128, 224)
    ]

    def survey(self, dl_manager: tfds.download.DownloadManager) -> Survey:
        """Draw all images."""
        examples = shapes.make(int(self.config_name), images_per_class=50, seed=0)
        rows = []
        for name, image, mask in zip(examples.filenames, examples.images, examples.masks, strict=True):
            classes, shares = (name.split('/')[0],), (float(mask.mean()),)
            rows.append(Row(name, classes, (1,), shares, functools.partial(_encode, image, mask)))
        return Survey(rows, [])


def _encode(
    image: UInt8[np.ndarray, 'size size 3'], mask: UInt8[np.ndarray, 'size size']
) -> tuple[bytes, UInt8[np.ndarray, 'size size']]:
    return photos.png(image), mask
