"""Semantic-aware attention (Chen, Huang and Nakayama, ACCV 2018), native size 512×512.

What an image shows as a whole decides which channels of the other image's features pass to the decoder.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from cosegnet_jax.networks.encoders import vgg16
from cosegnet_jax.networks.heads import global_average
from cosegnet_jax.networks.layers import Conv3x3, Convolution, Dense, scaled, two_class_logit
from cosegnet_jax.ops import convolution

HIDDEN = 4096  # units between the pooled features and the attention
RESIDUAL_BLOCKS = 2
BLOCKS = (256, 128, 64, 32, 16)  # channels after each enlargement, half of those before


class Description(NamedTuple):
    """What one look at each image gives."""

    f: Float[Array, 'n h w c']  # the encoder's feature map
    attention: Float[Array, 'n c']  # weight of each channel, between 0 and 1, in the type of f


class SemanticAttention(nnx.Module):
    """One image's attention on the other's features to the latter's mask; interface as `networks.pairwise`.

    Departures from the authors' program, where the paper says little of the decoder: no batch
    normalization, by which a mask would depend on the other pairs of a training batch; zeros instead of
    mirrored pixels around a map, which may be too small to mirror. Taken from it: the 7×7 convolution to
    two classes, and nothing after the sum of a residual block.

    Args:
        width: Multiplies the channels of all layers but the last; 1 is the published network.
        dtype: Type of the convolutions' arithmetic, float32 or bfloat16. Parameters and logits are float32.
        rngs: Source of the He-normal initial weights.
    """

    def __init__(self, *, width: float, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.encoder = vgg16.VGG16(width=width, rngs=rngs)
        features = scaled(512, width)
        self.fc1 = Dense(features, scaled(HIDDEN, width), rngs=rngs)
        self.fc2 = Dense(scaled(HIDDEN, width), features, rngs=rngs)
        cin, layers = features, {}
        for number in range(1, RESIDUAL_BLOCKS + 1):
            for name in (f'residual{number}_1', f'residual{number}_2'):
                layers[name] = Conv3x3(cin, cin, rngs=rngs)
        for number, channels in enumerate(BLOCKS, 1):
            cout = scaled(channels, width)
            layers[f'up{number}'] = Convolution(convolution.upsample_conv5x5, 5, cin, cout, rngs=rngs)
            cin = cout
        layers['classes'] = Convolution(convolution.conv7x7, 7, cin, 2, rngs=rngs)
        self.decoder = nnx.Dict(layers)
        self.dtype = dtype

    def describe(self, images: UInt8[Array, 'n h w 3']) -> Description:
        """VGG16 and the attention: all that looks at one image alone."""
        f = self.encoder(vgg16.ENCODER.normalize(images, self.dtype))[-1]
        attention = jax.nn.sigmoid(self.fc2(jnp.tanh(self.fc1(global_average(f)))))
        return Description(f, attention.astype(self.dtype))

    def pair_masks(self, first: Description, second: Description) -> Float[Array, 'n height width']:
        """Mask logits of the first image of each pair, given the second: only its attention counts."""
        return self._decode(first.f * second.attention[:, None, None])

    def group_masks(self, group: Description) -> Float[Array, 'n height width']:
        """Mask logits of each image of a group under the mean attention of all, its own included."""
        return self._decode(group.f * group.attention.mean(axis=0))

    def _decode(self, x: Float[Array, 'n h w c']) -> Float[Array, 'n height width']:
        for number in range(1, RESIDUAL_BLOCKS + 1):
            inner = jax.nn.relu(self.decoder[f'residual{number}_1'](x))
            x = x + self.decoder[f'residual{number}_2'](inner)
        for number in range(1, len(BLOCKS) + 1):
            x = jax.nn.relu(self.decoder[f'up{number}'](x))
        return two_class_logit(self.decoder['classes'](x))
