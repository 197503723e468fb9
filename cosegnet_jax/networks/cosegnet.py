"""CoSegNet: the siamese network of Figure 2."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from cosegnet_jax.networks import decoder
from cosegnet_jax.networks.encoders.interface import Encoder
from cosegnet_jax.networks.heads import Decision, Metric, global_average
from cosegnet_jax.networks.siamese import Maps, SiameseNetwork


class Description(NamedTuple):
    """All that is computed of an image alone."""

    tap: Float[Array, 'n h w c']  # decoder map at the tap, from which `masks` goes on
    fu: Float[Array, 'n c']  # the tap under global average pooling
    embedding: Float[Array, 'n 64']  # fs


class CoSegNet(SiameseNetwork):
    """Encoder, decoder, metric network and decision network.

    Args:
        encoder: Whose last map is decoded; the paper's is VGG16.
        tap: Decoder layer that feeds the metric network: f, cT3, cT6, cT9 (the paper's) or cT11.
        width: Multiplies the channels of encoder and decoder; 1 is the paper's network.
        dtype: As of `SiameseNetwork`.
        rngs: Source of the initial weights.
    """

    def __init__(self, encoder: Encoder, *, tap: str, width: float, dtype: jnp.dtype, rngs: nnx.Rngs):
        super().__init__(encoder, width=width, dtype=dtype, rngs=rngs)
        self.decoder = decoder.Decoder(encoder.widths(width)[-1], tap=tap, width=width, rngs=rngs)
        self.metric = Metric(self.decoder.tap_channels, rngs=rngs)
        self.decision = Decision(rngs=rngs)

    def describe_maps(self, maps: Maps) -> Description:
        """Decode the last map up to the tap, and embed the average of the tap."""
        tap = self.decoder.to_tap(maps[-1])
        fu = global_average(tap)
        return Description(tap, fu, self.metric(fu))

    def masks(self, description: Description) -> Float[Array, 'n height width']:
        """Decode from the tap to ungated mask logits; an object is where they are positive."""
        return self.decoder.from_tap(description.tap).astype(jnp.float32)
