"""CoSegNet: the siamese network of Figure 2.

The twins share their weights, so they are one module applied to a batch of images. Everything that looks
at pixels happens once per image; pairs are decided on embeddings.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from cosegnet_jax.networks import decoder
from cosegnet_jax.networks.encoders.interface import Encoder
from cosegnet_jax.networks.heads import Decision, Metric, global_average


class Description(NamedTuple):
    """What one look at each image gives."""

    tap: Float[Array, 'n h w c']  # decoder map at the tap, from which `masks` goes on
    fu: Float[Array, 'n c']  # the tap under global average pooling
    embedding: Float[Array, 'n 64']  # fs


class CoSegNet(nnx.Module):
    """Encoder, decoder, metric network and decision network.

    Args:
        encoder: Whose last map is decoded; the paper's is VGG16.
        tap: Decoder layer that feeds the metric network: f, cT3, cT6, cT9 (the paper's) or cT11.
        width: Multiplies the channels of encoder and decoder; 1 is the paper's network.
        dtype: Type of the convolutions' arithmetic, float32 or bfloat16. Parameters, embeddings and
            logits are float32.
        rngs: Source of the initial weights.
    """

    def __init__(self, encoder: Encoder, *, tap: str, width: float, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.encoder = encoder.build(width=width, rngs=rngs)
        self.normalize = encoder.normalize
        self.decoder = decoder.Decoder(encoder.widths(width)[-1], tap=tap, width=width, rngs=rngs)
        self.metric = Metric(self.decoder.tap_channels, rngs=rngs)
        self.decision = Decision(rngs=rngs)
        self.dtype = dtype

    def describe(self, images: UInt8[Array, 'n h w 3']) -> Description:
        """Encoder, decoder up to the tap, and metric network: once per image.

        Args:
            images: RGB, 0-255; height and width multiples of 32.

        Raises:
            UserError: If a side is no multiple of 32.
        """
        tap = self.decoder.to_tap(self.encoder(self.normalize(images, self.dtype))[-1])
        fu = global_average(tap)
        return Description(tap, fu, self.metric(fu))

    def masks(self, description: Description) -> Float[Array, 'n height width']:
        """Ungated mask logits, which go on from the tap; an object is where they are positive."""
        return self.decoder.from_tap(description.tap).astype(jnp.float32)

    def decide(self, first: Float[Array, '*n 64'], second: Float[Array, '*n 64']) -> Float[Array, '*n']:
        """Logit that the two images share an object, for each pair of embeddings in this order."""
        return self.decision(first, second)
