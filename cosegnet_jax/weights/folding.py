"""One input convention for every network: any other is folded into the first layer."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from jaxtyping import Float32

from cosegnet_jax.networks.encoders.vgg16 import MEAN, STD


@dataclasses.dataclass(frozen=True, eq=False)
class ConvWeights:
    """Weights of one 3×3 convolution."""

    kernel: Float32[np.ndarray, 'height width cin cout']
    bias: Float32[np.ndarray, ' cout']


@dataclasses.dataclass(frozen=True)
class InputConvention:
    """What a network sees of a pixel v in 0-255: (v - mean) / std, its channels in the order `channels`."""

    channels: Literal['RGB', 'BGR']
    mean: tuple[float, float, float]  # of R, G and B, whatever the order of the channels
    std: tuple[float, float, float]  # likewise


# The networks of Caffe, which Keras converted with their input as it was.
CAFFE = InputConvention('BGR', mean=(123.68, 116.779, 103.939), std=(1.0, 1.0, 1.0))

# torchvision states its mean and deviation for pixels in 0-1.
TORCHVISION = InputConvention(
    'RGB',
    mean=(255 * 0.485, 255 * 0.456, 255 * 0.406),
    std=(255 * 0.229, 255 * 0.224, 255 * 0.225),
)


def fold_input(first: ConvWeights, convention: InputConvention) -> ConvWeights:
    """First layer for the input z = (v - MEAN) / STD in RGB, from one made for `convention`.

    The old input is a·z + b in each channel, with a = STD / std and b = (MEAN - mean) / std: a goes
    into the kernel, b into the bias. The outputs agree wherever the kernel lies inside the image. At the
    border zero padding stands for the gray value MEAN now and stood for `mean` before. For Caffe these
    are the same, for torchvision they are less than half a gray level apart.

    Args:
        first: The first layer as it was trained; its kernel takes 3 channels in the convention's order.
        convention: The input it was trained on.
    """
    rgb = [convention.channels.index(channel) for channel in 'RGB']
    kernel = first.kernel[:, :, rgb].astype(np.float64)
    scale = np.divide(STD, convention.std)
    shift = np.subtract(MEAN, convention.mean) / convention.std
    return ConvWeights(
        kernel=(kernel * scale[:, np.newaxis]).astype(np.float32),
        bias=(first.bias + np.einsum('hwio,i->o', kernel, shift)).astype(np.float32),
    )
