"""VGG16's thirteen convolutions and five poolings, the paper's encoder (§3.1)."""

from __future__ import annotations

from collections.abc import Callable

import jax
from flax import nnx
from jaxtyping import Array, Float

from cosegnet_jax.networks.encoders.interface import Chain, Encoder
from cosegnet_jax.networks.layers import Conv3x3, scaled
from cosegnet_jax.ops.pooling import max_pool

# Input, per RGB channel on the scale 0-255: z = (pixel - MEAN) / STD. VGG16 was trained with this mean;
# imported weights are converted to this input.
MEAN = (123.68, 116.779, 103.939)
STD = (58.395, 57.12, 57.375)

# Convolutions of each block, as (name, channels); a 2×2 max-pooling closes every block.
BLOCKS = (
    (('conv1_1', 64), ('conv1_2', 64)),
    (('conv2_1', 128), ('conv2_2', 128)),
    (('conv3_1', 256), ('conv3_2', 256), ('conv3_3', 256)),
    (('conv4_1', 512), ('conv4_2', 512), ('conv4_3', 512)),
    (('conv5_1', 512), ('conv5_2', 512), ('conv5_3', 512)),
)
STRIDE = 2 ** len(BLOCKS)  # of the last map


class VGG16(Chain):
    """Normalized photos to the maps after the second to the fifth pooling; the last one is the paper's f.

    Args:
        width: Multiplies the channels of every layer; 1 is the paper's network.
        rngs: Source of the He-normal initial weights.
        activation: After every convolution; VGG16's own is ReLU.
    """

    block_count, map_count = len(BLOCKS), len(BLOCKS) - 1

    def __init__(self, *, width: float, rngs: nnx.Rngs, activation: Callable[[Array], Array] = jax.nn.relu):
        cin, layers = 3, {}
        for block in BLOCKS:
            for name, channels in block:
                layers[name] = Conv3x3(cin, scaled(channels, width), rngs=rngs)
                cin = scaled(channels, width)
        self.layers = nnx.Dict(layers)
        self.activation = activation
        self.pool = max_pool

    def run_block(self, number: int, x: Float[Array, 'n h w c']) -> Float[Array, 'n h2 w2 c2']:
        """Apply convolutions and pooling; f is the last map, 1/32 of the side, 512 channels at width 1."""
        for name, _ in BLOCKS[number]:
            x = self.activation(self.layers[name](x))
        return self.pool(x)


ENCODER = Encoder(
    build=VGG16,
    channels=tuple(block[-1][1] for block in BLOCKS[1:]),
    strides=(4, 8, 16, 32),
    blocks=tuple(tuple(name for name, _ in block) for block in BLOCKS),
    mean=MEAN,
    std=STD,
)
