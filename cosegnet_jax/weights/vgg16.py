"""VGG16's thirteen convolutions from a file of any published format."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cosegnet_jax.networks.encoders.vgg16 import BLOCKS
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.optional_import import optional_import
from cosegnet_jax.weights import published_file
from cosegnet_jax.weights.array_files import read_npz, read_safetensors
from cosegnet_jax.weights.folding import CAFFE, TORCHVISION, ConvWeights, InputConvention, fold_input
from cosegnet_jax.weights.keras_file import read_keras
from cosegnet_jax.weights.recognition import recognize
from cosegnet_jax.weights.torch_file import read_torch


@dataclasses.dataclass(frozen=True)
class _Format:
    """How a kind of file holds the convolutions of a VGG."""

    name: str
    read: Callable[[Path], dict[str, np.ndarray]]  # every convolution of the file, under the file's names
    names: dict[str, tuple[str, str]]  # layer → names of its kernel and its bias
    kernel_axes: str
    convention: InputConvention


_CHANNELS = {name: channels for block in BLOCKS for name, channels in block}

# Position of each convolution in torchvision's `features`, where ReLUs and poolings count too.
_TORCH_POSITIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
_TORCH_NAMES = {
    layer: (f'features.{i}.weight', f'features.{i}.bias')
    for layer, i in zip(_CHANNELS, _TORCH_POSITIONS, strict=True)
}
_KERAS_NAMES = {
    layer: (f'block{layer[4]}_conv{layer[6]}/kernel', f'block{layer[4]}_conv{layer[6]}/bias')
    for layer in _CHANNELS
}
_CAFFE_NAMES = {layer: (f'{layer}_W', f'{layer}_b') for layer in _CHANNELS}

_FORMATS = {
    '.h5': _Format('Keras', read_keras, _KERAS_NAMES, 'HWIO', CAFFE),
    '.npz': _Format('NumPy', functools.partial(read_npz, prefix='conv'), _CAFFE_NAMES, 'HWIO', CAFFE),
    '.pth': _Format(
        'PyTorch', functools.partial(read_torch, prefix='features.'), _TORCH_NAMES, 'OIHW', TORCHVISION
    ),
    '.safetensors': _Format(
        'safetensors',
        functools.partial(read_safetensors, prefix='features.'),
        _TORCH_NAMES,
        'OIHW',
        TORCHVISION,
    ),
}


def load_vgg16(spec: str) -> dict[str, dict[str, np.ndarray]]:
    """ImageNet weights of the encoder, for the input z = (v - MEAN) / STD in RGB (`networks.encoders.vgg16`).

    The published weights were made for other inputs: Caffe's (BGR, mean subtracted), or torchvision's (RGB in
    0-1 with its own mean and deviation). The difference is folded into conv1_1, whose outputs are those of
    the original network; exactly with Caffe's input, and exactly but for the image border with torchvision's
    (see `fold_input`). Which input it was is told from conv1_1 (`recognition.recognize`). Where that is no
    layer known here, it is the one that the kind of file is published with, and a line says so: Caffe's for
    Keras and NumPy, torchvision's for PyTorch and safetensors.

    Args:
        spec: 'imagenet' for the published weights, downloaded once, or a file, whose content tells its kind:
            Keras (weights or whole model, with or without the fully connected layers), PyTorch or
            safetensors under torchvision's names (features.0.weight), or .npz with conv1_1_W (HWIO) and
            conv1_1_b to conv5_3_b.

    Returns:
        Kernel and bias of 'conv1_1' to 'conv5_3' in the order of the network.

    Raises:
        UserError: No such file, one of another kind, a damaged file, another network, or no download.
    """
    readers = {ending: form.read for ending, form in _FORMATS.items()}
    path, kind, arrays = published_file.read(spec, _fetch, readers)
    form = _FORMATS[kind]
    if problem := _difference(arrays, form):
        raise UserError(f'{path} {problem}: pass float weights of VGG16, the network without BatchNorm')

    to_hwio = [form.kernel_axes.index(axis) for axis in 'HWIO']
    layers = {
        layer: ConvWeights(
            kernel=np.ascontiguousarray(arrays[kernel].transpose(to_hwio), dtype=np.float32),
            bias=np.ascontiguousarray(arrays[bias], dtype=np.float32),
        )
        for layer, (kernel, bias) in form.names.items()
    }
    convention = recognize(layers['conv1_1'])
    if convention is None:
        convention = form.convention
        takes = "Caffe's (BGR less its mean)" if convention is CAFFE else "torchvision's (RGB, normalized)"
        print(
            f'{path}: not the published weights of VGG16; their input is taken for {takes}, as in '
            f'{form.name} files',
            file=sys.stderr,
        )
    layers['conv1_1'] = fold_input(layers['conv1_1'], convention)
    return {name: {'kernel': layer.kernel, 'bias': layer.bias} for name, layer in layers.items()}


def _fetch() -> Path:
    # Here, since pooch is in an extra, and warns every notebook that has no ipywidgets.
    return optional_import('cosegnet_jax.weights.download', 'train').fetch_imagenet()


def _difference(arrays: dict[str, np.ndarray], form: _Format) -> str | None:
    """How the convolutions of a file differ from VGG16's, in words; None where they do not."""
    expected, cin = {}, 3
    for layer, cout in _CHANNELS.items():
        kernel, bias = form.names[layer]
        sizes = {'H': 3, 'W': 3, 'I': cin, 'O': cout}
        expected |= {kernel: tuple(sizes[axis] for axis in form.kernel_axes), bias: (cout,)}
        cin = cout
    if problem := published_file.difference(arrays, expected):
        return problem
    if further := arrays.keys() - expected.keys():
        return f"has '{min(further)}' too"  # as VGG19 has a fourth convolution in three of its blocks
    return None
