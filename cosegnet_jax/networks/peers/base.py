"""CoSegNet-base (§4.5): the siamese encoder-decoder without metric and decision network.

It cannot refuse a pair. It learns to make empty masks from negative pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from cosegnet_jax.networks import decoder
from cosegnet_jax.networks.encoders import vgg16


class Description(NamedTuple):
    """All that is computed of an image alone."""

    f: Float[Array, 'n h w c']  # the encoder's feature map


class CoSegNetBase(nnx.Module):
    """Masks from the feature maps of both images; see `networks.pairwise`.

    The decoder is CoSegNet's, with 1024 channels of input. The paper does not give their order. Here an
    image's own channels come first; in a fixed order both masks would be equal.

    Args:
        width: Multiplies the channels of encoder and decoder; 1 is the paper's network.
        dtype: Type of the convolutions' arithmetic, float32 or bfloat16. Parameters and logits are float32.
        rngs: Source of the He-normal initial weights.
    """

    def __init__(self, *, width: float, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.encoder = vgg16.VGG16(width=width, rngs=rngs)
        # The tap before the first layer leaves the decoder in one piece.
        self.decoder = decoder.Decoder(2 * vgg16.ENCODER.widths(width)[-1], tap='f', width=width, rngs=rngs)
        self.dtype = dtype

    def describe(self, images: UInt8[Array, 'n h w 3']) -> Description:
        """Compute the feature map of each image."""
        return Description(self.encoder(vgg16.ENCODER.normalize(images, self.dtype))[-1])

    def pair_masks(self, first: Description, second: Description) -> Float[Array, 'n height width']:
        """Compute mask logits of the first image of each pair, given the second."""
        both = jnp.concatenate([first.f, second.f], axis=-1)
        return self.decoder.from_tap(both).astype(jnp.float32)
