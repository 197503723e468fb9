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
from cosegnet_jax.networks.encoders import vgg16
from cosegnet_jax.networks.heads import Decision, Metric, global_average
from cosegnet_jax.runtime.errors import UserError


class Description(NamedTuple):
    """What one look at each image gives."""

    tap: Float[Array, 'n h w c']  # decoder map at the tap, from which `masks` goes on
    fu: Float[Array, 'n c']  # the tap under global average pooling
    embedding: Float[Array, 'n 64']  # fs


class CoSegNet(nnx.Module):
    """Encoder, decoder, metric network and decision network.

    Args:
        tap: Decoder layer that feeds the metric network: f, cT3, cT6, cT9 (the paper's) or cT11.
        width: Multiplies the channels of encoder and decoder; 1 is the paper's network.
        dtype: Type of the convolutions' arithmetic, float32 or bfloat16. Parameters, embeddings and
            logits are float32.
        rngs: Source of the initial weights.
    """

    def __init__(self, *, tap: str, width: float, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.encoder = vgg16.VGG16(width=width, rngs=rngs)
        self.decoder = decoder.Decoder(tap=tap, width=width, rngs=rngs)
        self.metric = Metric(decoder.tap_channels(tap, width), rngs=rngs)
        self.decision = Decision(rngs=rngs)
        self.dtype = dtype

    def describe(self, images: UInt8[Array, 'n h w 3']) -> Description:
        """Encoder, decoder up to the tap, and metric network: once per image.

        Args:
            images: RGB, 0-255; height and width multiples of 32.

        Raises:
            UserError: If a side is no multiple of 32.
        """
        check_size(images.shape[1], images.shape[2])
        tap = self.decoder.to_tap(self.encoder(vgg16.normalize(images, self.dtype)))
        fu = global_average(tap)
        return Description(tap, fu, self.metric(fu))

    def masks(self, tap: Float[Array, 'n h w c']) -> Float[Array, 'n height width']:
        """Ungated mask logits from the tap; an object is where they are positive."""
        return self.decoder.from_tap(tap).astype(jnp.float32)

    def decide(self, first: Float[Array, '*n 64'], second: Float[Array, '*n 64']) -> Float[Array, '*n']:
        """Logit that the two images share an object, for each pair of embeddings in this order."""
        return self.decision(first, second)


def check_size(height: int, width: int) -> None:
    """Refuses image sides that five poolings cannot halve.

    Raises:
        UserError: If a side is no positive multiple of 32.
    """
    for side in (height, width):
        if side < vgg16.STRIDE or side % vgg16.STRIDE:
            below = max(vgg16.STRIDE, side // vgg16.STRIDE * vgg16.STRIDE)
            raise UserError(
                f'image size {height}×{width}: each side must be a multiple of {vgg16.STRIDE}; '
                f'use for example {below} or {below + vgg16.STRIDE}'
            )
