"""The encoder: VGG16's thirteen convolutions and five poolings (§3.1)."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from cosegnet_jax.networks.layers import Conv3x3, scaled
from cosegnet_jax.ops.pooling import max_pool

# The network's one input convention, per RGB channel on the scale 0-255: z = (pixel - MEAN) / STD.
# The mean is the one that VGG16 was trained with; imported weights of any convention are folded to it.
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
STRIDE = 2 ** len(BLOCKS)  # an image side must be a multiple of this


def normalize(images: UInt8[Array, 'n h w 3'], dtype: jnp.dtype) -> Float[Array, 'n h w 3']:
    """Pixels 0-255 to the network's input; done on the device, since bytes cross to it four times faster."""
    z = (images.astype(jnp.float32) - jnp.asarray(MEAN)) / jnp.asarray(STD)
    return z.astype(dtype)


class VGG16(nnx.Module):
    """Images to the feature map f: 1/32 of the side, 512 channels at width 1.

    Args:
        width: Multiplies the channels of every layer; 1 is the paper's network.
        rngs: Source of the He-normal initial weights.
        activation: After every convolution; VGG16's own is ReLU.
    """

    def __init__(self, *, width: float, rngs: nnx.Rngs, activation: Callable[[Array], Array] = jax.nn.relu):
        cin, layers = 3, {}
        for block in BLOCKS:
            for name, channels in block:
                layers[name] = Conv3x3(cin, scaled(channels, width), rngs=rngs)
                cin = scaled(channels, width)
        self.layers = nnx.Dict(layers)
        self.activation = activation
        self.pool = max_pool

    def __call__(self, x: Float[Array, 'n h w 3']) -> Float[Array, 'n h32 w32 f']:
        """The feature map of normalized images."""
        for block in BLOCKS:
            for name, _ in block:
                x = self.activation(self.layers[name](x))
            x = self.pool(x)
        return x
