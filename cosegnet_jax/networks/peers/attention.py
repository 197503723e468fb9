"""Semantic-aware attention (Chen, Huang and Nakayama, ACCV 2018), native size 512×512.

The content of an image decides which channels of the other image's features pass to the decoder.
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
    """All that is computed of an image alone."""

    f: Float[Array, 'n h w c']  # the encoder's feature map
    attention: Float[Array, 'n c']  # weight of each channel, between 0 and 1, in the type of f


class SemanticAttention(nnx.Module):
    """Masks from the features of an image and the attention of its partner; see `networks.pairwise`.

    The paper says little of the decoder. As in the authors' program, a 7×7 convolution leads to two classes,
    and nothing follows the sum of a residual block. Unlike it, there is no batch normalization, which would
    make masks depend on the other pairs of a batch, and maps are padded with zeros instead of mirrored
    pixels, since they may be too small to mirror.

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
        """Compute feature map and attention of each image."""
        f = self.encoder(vgg16.ENCODER.normalize(images, self.dtype))[-1]
        attention = jax.nn.sigmoid(self.fc2(jnp.tanh(self.fc1(global_average(f)))))
        return Description(f, attention.astype(self.dtype))

    def pair_masks(self, first: Description, second: Description) -> Float[Array, 'n height width']:
        """Compute mask logits of the first image of each pair; of the second only the attention counts."""
        return self._decode(first.f * second.attention[:, None, None])

    def _decode(self, x: Float[Array, 'n h w c']) -> Float[Array, 'n height width']:
        for number in range(1, RESIDUAL_BLOCKS + 1):
            inner = jax.nn.relu(self.decoder[f'residual{number}_1'](x))
            x = x + self.decoder[f'residual{number}_2'](inner)
        for number in range(1, len(BLOCKS) + 1):
            x = jax.nn.relu(self.decoder[f'up{number}'](x))
        return two_class_logit(self.decoder['classes'](x))
