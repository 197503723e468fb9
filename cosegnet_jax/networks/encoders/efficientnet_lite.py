"""EfficientNet-Lite0 to 4: inverted residuals with ReLU6, without squeeze and excitation.

Tan and Le, EfficientNet, ICML 2019, in its form for small devices (tensorflow/tpu, efficientnet/lite, 2020).
Batch normalization is folded into the convolutions: after training on ImageNet it is a factor and a bias.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import jax
from flax import nnx
from jaxtyping import Array, Float

from cosegnet_jax.networks.encoders.interface import Chain, Encoder
from cosegnet_jax.networks.layers import Convolution, DepthwiseConvolution, scaled
from cosegnet_jax.ops import convolution, strided_convolution

# Multipliers of channels and of repetitions.
VARIANTS = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2), 3: (1.2, 1.4), 4: (1.4, 1.8)}
STEM = 32

# Of each stage: kernel side, stride of its first block, expansion, channels, repetitions.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


class Block(NamedTuple):
    """An inverted residual block."""

    name: str  # 'stage2_1' is the first block of the second stage
    size: int  # side of its depthwise kernel
    stride: int
    cin: int
    hidden: int  # channels of the depthwise convolution; as many as cin where nothing is expanded
    cout: int


def blocks(variant: int) -> tuple[Block, ...]:
    """List the blocks of a network, in order."""
    width, depth = VARIANTS[variant]
    found, cin = [], STEM
    for stage, (size, stride, expansion, channels, repetitions) in enumerate(_STAGES, 1):
        ends = stage in (1, len(_STAGES))  # the first and the last stage are never repeated
        for number in range(1, (1 if ends else math.ceil(depth * repetitions)) + 1):
            cout = _rounded(width * channels)
            first = stride if number == 1 else 1
            found.append(Block(f'stage{stage}_{number}', size, first, cin, expansion * cin, cout))
            cin = cout
    return tuple(found)


def _rounded(channels: float) -> int:
    """Round to the nearest multiple of 8 that is not less than nine tenths."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


class InvertedResidual(nnx.Module):
    """Expansion, depthwise convolution and projection; the input is added where its shape is kept."""

    def __init__(self, block: Block, width: float, *, rngs: nnx.Rngs):
        cin, cout = scaled(block.cin, width), scaled(block.cout, width)
        hidden = cin * (block.hidden // block.cin)
        if hidden != cin:
            self.expand = Convolution(convolution.pointwise, 1, cin, hidden, rngs=rngs)
        self.expands = hidden != cin
        self.depthwise = DepthwiseConvolution(block.size, block.stride, hidden, rngs=rngs)
        self.project = Convolution(convolution.pointwise, 1, hidden, cout, rngs=rngs)
        self.adds = block.stride == 1 and block.cin == block.cout

    def __call__(self, x: Float[Array, 'n h w cin']) -> Float[Array, 'n h2 w2 cout']:
        """Apply the block."""
        y = jax.nn.relu6(self.expand(x)) if self.expands else x
        y = self.project(jax.nn.relu6(self.depthwise(y)))
        return x + y if self.adds else y


class EfficientNetLite(Chain):
    """Normalized photos to maps at strides 4, 8, 16 and 32, without the layers that classify.

    Args:
        variant: 0 to 4.
        width: Multiplies the channels of every layer; 1 is the published network.
        rngs: Source of the He-normal initial weights.
    """

    block_count, map_count = 5, 4

    def __init__(self, variant: int, *, width: float, rngs: nnx.Rngs):
        stem = Convolution(strided_convolution.halving_conv3x3, 3, 3, scaled(STEM, width), rngs=rngs)
        self.groups = groups(variant)
        residuals = {block.name: InvertedResidual(block, width, rngs=rngs) for block in blocks(variant)}
        self.layers = nnx.Dict({'stem': stem, **residuals})

    def run_block(self, number: int, x: Float[Array, 'n h w c']) -> Float[Array, 'n h2 w2 c2']:
        """Compute the last map of a stride from the last map of half that stride, or from the photo."""
        for name in self.groups[number]:
            x = self.layers[name](x)
            x = jax.nn.relu6(x) if name == 'stem' else x
        return x


def groups(variant: int) -> tuple[tuple[str, ...], ...]:
    """Group layers by stride: each group but the first starts with a block that halves the map."""
    found = [['stem']]
    for block in blocks(variant):
        if block.stride == 2:
            found.append([])
        found[-1].append(block.name)
    return tuple(map(tuple, found))


def encoder(variant: int) -> Encoder:
    """Describe EfficientNet-Lite of this number."""
    channels = {block.name: block.cout for block in blocks(variant)}
    return Encoder(
        build=functools.partial(EfficientNetLite, variant),
        channels=tuple(channels[names[-1]] for names in groups(variant)[1:]),
        strides=(4, 8, 16, 32),
        blocks=groups(variant),
        mean=(127.0, 127.0, 127.0),
        std=(128.0, 128.0, 128.0),
    )
