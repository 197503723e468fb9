"""Convolutions of a Keras VGG in any of the HDF5 layouts that Keras has written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from cosegnet_jax.networks.encoders.vgg16 import BLOCKS
from cosegnet_jax.runtime.optional_import import optional_import

# Keras 1 and 2 write block1_conv1/block1_conv1_W_1:0 or block1_conv1/block1_conv1/kernel:0, in a whole model
# under model_weights/. Keras 3 numbers what it saves, layers/conv2d_1/vars/0, by class or by layer name.
_NAMED = re.compile(r'(?:^|/)(block\d+_conv\d+)/')
_COUNTED = re.compile(r'(?:^|/)layers/(conv2d(?:_\d+)?)/')
_OPTIMIZER = re.compile(r'^optimizer')  # moments carry the names and shapes of their parameters

_LAYERS = [f'block{b}_conv{i}' for b, block in enumerate(BLOCKS, 1) for i in range(1, len(block) + 1)]
_COUNTED_LAYERS = {f'conv2d_{i}' if i else 'conv2d': layer for i, layer in enumerate(_LAYERS)}


def read_keras(path: Path) -> dict[str, np.ndarray]:
    """Kernels (HWIO) and biases under '<layer>/kernel' and '<layer>/bias', as in 'block1_conv1/kernel'.

    A convolution that Keras only counted gets the name it has in VGG16; one past the last keeps its own.
    """
    h5py = optional_import('h5py', 'train')
    arrays = {}

    def collect(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or _OPTIMIZER.match(name):
            return
        if match := _NAMED.search(name):
            layer = match[1]
        elif match := _COUNTED.search(name):
            layer = _COUNTED_LAYERS.get(match[1], match[1])
        else:
            return
        # Names of kernel and bias changed from version to version; their ranks did not.
        arrays[f'{layer}/{"bias" if item.ndim == 1 else "kernel"}'] = item[...]

    with h5py.File(path, 'r') as file:
        file.visititems(collect)
    return arrays
