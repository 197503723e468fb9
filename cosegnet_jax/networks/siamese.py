"""What CoSegNet and its small form have in common: twins with shared weights (Figure 2).

The twins are one module that is applied to a batch of images. Everything that looks at pixels happens once
per image; pairs are decided on embeddings.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from cosegnet_jax.networks.encoders.interface import Encoder
from cosegnet_jax.networks.partner import Maps, Places


class SiameseNetwork(nnx.Module):
    """An encoder, the description of an image by its maps, and a decision network on embeddings.

    A subclass makes `metric` and `decision`, `describe_maps` and `masks`. Its description is a named tuple
    that has `fu`, what the metric network reads, and `embedding`.

    Args:
        encoder: Makes the maps of photos.
        width: Multiplies the channels of the encoder.
        dtype: Type of the convolutions' arithmetic, float32 or bfloat16. Parameters, embeddings and logits
            are float32.
        rngs: Source of the initial weights.
    """

    metric: Any
    decision: Any  # takes two embeddings; its method `table` takes rows and columns, and decides every pair

    def __init__(self, encoder: Encoder, *, width: float, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.encoder = encoder.build(width=width, rngs=rngs)
        self.normalize = encoder.normalize
        self.dtype = dtype

    def describe(self, images: UInt8[Array, 'n h w 3']) -> Any:
        """Describe each image.

        Args:
            images: RGB, 0-255; height and width multiples of 32.

        Raises:
            UserError: A side is no multiple of 32.
        """
        return self.describe_maps(self.encoder(self.normalize(images, self.dtype)))

    def first_maps(self, images: UInt8[Array, 'n h w 3'], blocks: int) -> Maps:
        """Compute the maps that the first blocks of the encoder make; arguments as of `describe`."""
        return self.encoder.first_maps(self.normalize(images, self.dtype), blocks)

    def describe_from(self, first_maps: Maps) -> Any:
        """Describe images from what `first_maps` made of them."""
        return self.describe_maps(self.encoder.all_maps(tuple(x.astype(self.dtype) for x in first_maps)))

    def describe_maps(self, maps: Maps) -> Any:
        """Describe images from all maps of the encoder."""
        raise NotImplementedError

    def masks(self, description: Any) -> Float[Array, 'n height width']:
        """Ungated mask logits at the size of the photo; an object is where they are positive."""
        raise NotImplementedError

    def places(self, description: Any) -> Places | None:
        """What partners are compared by, where masks depend on the partner."""
        del description
