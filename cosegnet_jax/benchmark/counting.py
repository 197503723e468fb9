"""Multiply-accumulates (MAC) of the network, counted from its layer shapes.

Two counts: that of the network as the paper draws it, and that of the form computed here, in which a
convolution after nearest-neighbour enlargement costs 4/9 (`models.convolution.upsample_conv3x3`).
"""

from __future__ import annotations

from typing import NamedTuple

from cosegnet_jax.config import Model
from cosegnet_jax.models.decoder import CHANNELS, TAPS, UPSAMPLED
from cosegnet_jax.models.layers import scaled
from cosegnet_jax.models.vgg16 import BLOCKS


class Macs(NamedTuple):
    """MAC per image, by what runs when; the heads' hundred thousand are left out."""

    first: int | float  # conv1_1, whose input needs no gradient
    to_tap: int | float  # the rest of the encoder, and the decoder up to the tap
    from_tap: int | float  # the decoder after the tap


def per_image(config: Model, image_size: int, enlarged: int | float = 1) -> Macs:
    """MAC of one image of `image_size` squared.

    Args:
        config: The network.
        image_size: Side in pixels.
        enlarged: Cost of a convolution after enlargement: 1 as drawn, 4/9 as needed.
    """
    side, cin, encoder = image_size, 3, []
    for block in BLOCKS:
        for _, channels in block:
            cout = scaled(channels, config.width)
            encoder.append(side**2 * 9 * cin * cout)
            cin = cout
        side //= 2
    decoder = []
    for number, channels in enumerate(CHANNELS, 1):
        cout = channels if number == len(CHANNELS) else scaled(channels, config.width)
        side *= 2 if number in UPSAMPLED else 1
        decoder.append(side**2 * 9 * cin * cout * (enlarged if number in UPSAMPLED else 1))
        cin = cout
    cut = TAPS[config.tap]
    return Macs(encoder[0], sum(encoder[1:]) + sum(decoder[:cut]), sum(decoder[cut:]))


def train_step(macs: Macs, triplets: int) -> int | float:
    """Floating-point operations of one update: each image once to the tap, positive pairs beyond it.

    A layer costs its MAC three times: forward, for the gradient of its input, and for that of its kernel;
    the first layer needs no gradient of its input. One MAC is two operations.
    """
    trunk = 3 * triplets * (2 * macs.first + 3 * macs.to_tap)
    return 2 * (trunk + 2 * triplets * 3 * macs.from_tap)


def evaluation(macs: Macs, images: int) -> int | float:
    """Floating-point operations of describing `images`."""
    return 2 * images * sum(macs)
