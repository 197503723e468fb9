"""DOCS: Deep Object Co-Segmentation (Li, Hosseini Jafari and Rother, ACCV 2018), native size 512×512.

Every feature of an image is compared with the features of the other at displacements of up to 15 each way.
The decoder reads these products beside the image's own features.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from cosegnet_jax.networks.encoders import vgg16
from cosegnet_jax.networks.layers import Conv3x3, Convolution, scaled, two_class_logit
from cosegnet_jax.ops import convolution

REACH = 15  # largest displacement; at 512×512 the maps are 16×16, so it reaches everywhere
DISPLACEMENTS = (2 * REACH + 1) ** 2
BLOCKS = (512, 512, 256, 128, 64)  # channels of the decoder's blocks, each twice the size of the one before

# He normal: a pixel of the enlarged map sees a quarter of the 4×4 taps, so its fan-in is a quarter.
deconv_start = nnx.initializers.variance_scaling(4 * 2.0, 'fan_in', 'truncated_normal')


def leaky_relu(x: Float[Array, '*shape']) -> Float[Array, '*shape']:
    """The activation of every layer, those of VGG16 included."""
    return jax.nn.leaky_relu(x, 0.2)


class Description(NamedTuple):
    """All that is computed of an image alone."""

    features: Float[Array, 'n h w c']  # conv6_2
    squeezed: Float[Array, 'n h w c2']  # the same on half the channels, for the decoder


class DeepObjectCoSeg(nnx.Module):
    """Masks from the correlation of two feature maps; see `networks.pairwise`.

    Three choices that the paper leaves open, or in which the authors' programs differ: the correlation has no
    activation (their Caffe program has a leaky ReLU of 0.1, their PyTorch program none); a 3×3 convolution
    leads to the two classes; and layers outside VGG16 start He normal, as in the rest of this project.

    Args:
        width: Multiplies the channels of all layers but the last; 1 is the published network.
        dtype: Type of the convolutions' arithmetic, float32 or bfloat16. Parameters and logits are float32.
        rngs: Source of the initial weights.
    """

    def __init__(self, *, width: float, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.encoder = vgg16.VGG16(width=width, rngs=rngs, activation=leaky_relu)
        features = scaled(1024, width)
        self.conv6_1 = Conv3x3(scaled(512, width), features, rngs=rngs)
        self.conv6_2 = Conv3x3(features, features, rngs=rngs)
        self.squeeze = Convolution(convolution.pointwise, 1, features, scaled(512, width), rngs=rngs)
        self.mix = Conv3x3(scaled(512, width) + DISPLACEMENTS, features, rngs=rngs)
        cin, layers = features, {}
        for number, channels in enumerate(BLOCKS, 1):
            cout = scaled(channels, width)
            layers[f'deconv{number}'] = Convolution(
                convolution.deconv4x4, 4, cin, cout, rngs=rngs, start=deconv_start
            )
            layers[f'conv{number}_1'] = Conv3x3(cout, cout, rngs=rngs)
            layers[f'conv{number}_2'] = Conv3x3(cout, cout, rngs=rngs)
            cin = cout
        self.decoder = nnx.Dict(layers)
        self.classes = Conv3x3(cin, 2, rngs=rngs)
        self.dtype = dtype

    def describe(self, images: UInt8[Array, 'n h w 3']) -> Description:
        """Compute the features of each image."""
        x = self.encoder(vgg16.ENCODER.normalize(images, self.dtype))[-1]
        x = leaky_relu(self.conv6_2(leaky_relu(self.conv6_1(x))))
        return Description(x, self.squeeze(x))

    def pair_masks(self, first: Description, second: Description) -> Float[Array, 'n height width']:
        """Compute mask logits of the first image of each pair, given the second."""
        compared = correlate(first.features, second.features, REACH)
        x = leaky_relu(self.mix(jnp.concatenate([first.squeezed, compared], axis=-1)))
        for number in range(1, len(BLOCKS) + 1):
            for name in (f'deconv{number}', f'conv{number}_1', f'conv{number}_2'):
                x = leaky_relu(self.decoder[name](x))
        return two_class_logit(self.classes(x))


def correlate(
    first: Float[Array, 'n h w c'], second: Float[Array, 'n h w c'], reach: int
) -> Float[Array, 'n h w displacements']:
    """Multiply each feature of `first` with the features of `second` around the same place.

    One matrix product compares all places with all places. Padding and reshaping then select the
    displacements; their gradient is a copy, while that of a gather would be a scatter.

    Args:
        first: Feature maps.
        second: Feature maps of the partners.
        reach: Largest displacement each way, in places.

    Returns:
        Mean over the channels of first[y, x] · second[y + i - reach, x + j - reach], in channel
        i · (2·reach + 1) + j; zero where that lies outside the map.
    """
    n, h, w, channels = first.shape
    table = jnp.einsum('nyxc,nvuc->nyvxu', first, second, preferred_element_type=jnp.float32)
    table = (table / channels).astype(first.dtype)
    by_column = _displaced(table, reach)  # [n, y, v, x, j]
    by_both = _displaced(by_column.transpose(0, 3, 4, 1, 2), reach)  # [n, x, j, y, i]
    return by_both.transpose(0, 3, 1, 4, 2).reshape(n, h, w, -1)


def _displaced(table: Float[Array, '*rest s s'], reach: int) -> Float[Array, '*rest s displacements']:
    """Select the entries of each row from `reach` before the diagonal to `reach` after it, zeros outside.

    Row s of the padded table holds them from entry s on. Reshaping to rows that are one entry longer shifts
    each row by one more than the row before it.
    """
    *rest, size, _ = table.shape
    length = size + 2 * reach
    padded = jnp.pad(table, [(0, 0)] * (len(rest) + 1) + [(reach, reach)])
    flat = jnp.pad(padded.reshape(*rest, size * length), [(0, 0)] * len(rest) + [(0, size)])
    return flat.reshape(*rest, size, length + 1)[..., : 2 * reach + 1]
