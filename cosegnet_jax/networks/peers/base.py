"""CoSegNet-base (§4.5): the siamese encoder-decoder without metric and decision network.

Nothing in it can refuse a pair: what keeps a mask empty is training on negative pairs with null masks.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from cosegnet_jax.networks import decoder
from cosegnet_jax.networks.encoders import vgg16


class Description(NamedTuple):
    """What one look at each image gives."""

    f: Float[Array, 'n h w c']  # the encoder's feature map


class CoSegNetBase(nnx.Module):
    """Both feature maps to the mask of the first image; see `networks.pairwise` for the interface.

    The decoder is CoSegNet's but for the 1024 channels that its first layer takes. The paper gives their
    order for neither image: an image's own come first, for in one order both masks would be the same.

    Args:
        width: Multiplies the channels of encoder and decoder; 1 is the paper's network.
        dtype: Type of the convolutions' arithmetic, float32 or bfloat16. Parameters and logits are float32.
        rngs: Source of the He-normal initial weights.
    """

    def __init__(self, *, width: float, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.encoder = vgg16.VGG16(width=width, rngs=rngs)
        # Nothing is attached to the decoder: with the tap before its first layer it is in one piece.
        self.decoder = decoder.Decoder(2 * vgg16.ENCODER.widths(width)[-1], tap='f', width=width, rngs=rngs)
        self.dtype = dtype

    def describe(self, images: UInt8[Array, 'n h w 3']) -> Description:
        """The encoder: all that looks at one image alone."""
        return Description(self.encoder(vgg16.ENCODER.normalize(images, self.dtype))[-1])

    def pair_masks(self, first: Description, second: Description) -> Float[Array, 'n height width']:
        """Mask logits of the first image of each pair, given the second."""
        both = jnp.concatenate([first.f, second.f], axis=-1)
        return self.decoder.from_tap(both).astype(jnp.float32)
