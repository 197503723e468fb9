"""Multiply-accumulates (MAC) of the networks, counted from their layer shapes.

Two counts: that of a network as its paper draws it, and that of the form computed here, in which a 3×3
convolution after nearest-neighbour enlargement costs 4/9 and a 5×5 one 9/25 (`models.convolution`).
"""

from __future__ import annotations

from typing import NamedTuple

from cosegnet_jax.config import Model
from cosegnet_jax.models import attention, docs
from cosegnet_jax.models.decoder import CHANNELS, TAPS, UPSAMPLED
from cosegnet_jax.models.layers import scaled
from cosegnet_jax.models.vgg16 import BLOCKS, STRIDE


class Macs(NamedTuple):
    """MAC per image, by what runs when; the hundred thousand of CoSegNet's heads are left out."""

    first: int | float  # conv1_1, whose input needs no gradient
    to_tap: int | float  # the rest of what is done once an image: encoder, and decoder up to the tap
    from_tap: int | float  # what is done once a mask: the decoder after the tap


def per_image(config: Model, image_size: int, enlarged: int | float = 1) -> Macs:
    """MAC of one image of `image_size` squared in CoSegNet.

    Args:
        config: The network.
        image_size: Side in pixels.
        enlarged: Cost of a convolution after enlargement: 1 as drawn, 4/9 as needed.
    """
    encoder = _encoder(config.width, image_size)
    decoder = _decoder(config.width, image_size, 1, enlarged)
    cut = TAPS[config.tap]
    return Macs(encoder[0], sum(encoder[1:]) + sum(decoder[:cut]), sum(decoder[cut:]))


def base_per_image(width: float, image_size: int, enlarged: int | float = 1) -> Macs:
    """MAC of one image of a pair in CoSegNet-base; arguments as `per_image`."""
    encoder = _encoder(width, image_size)
    return Macs(encoder[0], sum(encoder[1:]), sum(_decoder(width, image_size, 2, enlarged)))


def docs_per_image(width: float, image_size: int) -> Macs:
    """MAC of one image of a pair in DOCS; of the correlation, what is not zero beyond the map's edge."""
    encoder, side = _encoder(width, image_size), image_size // STRIDE
    f, features = scaled(512, width), scaled(1024, width)
    described = _conv(side, 3, f, features) + _conv(side, 3, features, features)
    described += _conv(side, 1, features, f)
    paired = side**4 * features + _conv(side, 3, f + docs.DISPLACEMENTS, features)
    cin = features
    for channels in docs.BLOCKS:
        cout = scaled(channels, width)
        paired += _conv(side, 4, cin, cout)  # each pixel of the small map meets all of the 4×4 taps
        side *= 2
        paired += 2 * _conv(side, 3, cout, cout)
        cin = cout
    return Macs(encoder[0], sum(encoder[1:]) + described, paired + _conv(side, 3, cin, 2))


def attention_per_image(width: float, image_size: int, enlarged: int | float = 1) -> Macs:
    """MAC of one image of a pair under semantic-aware attention.

    Args:
        width: Of the network.
        image_size: Side in pixels.
        enlarged: Cost of a convolution after enlargement: 1 as drawn, 9/25 as needed.
    """
    encoder, side = _encoder(width, image_size), image_size // STRIDE
    cin = scaled(512, width)
    heads = 2 * cin * scaled(attention.HIDDEN, width)
    paired = 2 * attention.RESIDUAL_BLOCKS * _conv(side, 3, cin, cin)
    for channels in attention.BLOCKS:
        side, cout = 2 * side, scaled(channels, width)
        paired += _conv(side, 5, cin, cout) * enlarged
        cin = cout
    return Macs(encoder[0], sum(encoder[1:]) + heads, paired + _conv(side, 7, cin, 2))


def train_step(macs: Macs, images: int, decoded: int) -> int | float:
    """Floating-point operations of one update: each image once to the tap, and `decoded` of them beyond it.

    A layer costs its MAC three times: forward, for the gradient of its input, and for that of its kernel;
    the first layer needs no gradient of its input. One MAC is two operations.
    """
    return 2 * (images * (2 * macs.first + 3 * macs.to_tap) + decoded * 3 * macs.from_tap)


def evaluation(macs: Macs, images: int) -> int | float:
    """Floating-point operations of describing `images`."""
    return 2 * images * sum(macs)


def _encoder(width: float, side: int) -> list[int]:
    """MAC of each of VGG16's convolutions."""
    macs, cin = [], 3
    for block in BLOCKS:
        for _, channels in block:
            cout = scaled(channels, width)
            macs.append(_conv(side, 3, cin, cout))
            cin = cout
        side //= 2
    return macs


def _decoder(width: float, image_size: int, maps: int, enlarged: int | float) -> list[int | float]:
    """MAC of each layer of CoSegNet's decoder, whose input concatenates `maps` feature maps."""
    macs, cin, side = [], maps * scaled(512, width), image_size // STRIDE
    for number, channels in enumerate(CHANNELS, 1):
        cout = channels if number == len(CHANNELS) else scaled(channels, width)
        side *= 2 if number in UPSAMPLED else 1
        macs.append(_conv(side, 3, cin, cout) * (enlarged if number in UPSAMPLED else 1))
        cin = cout
    return macs


def _conv(side: int, kernel: int, cin: int, cout: int) -> int:
    return side**2 * kernel**2 * cin * cout
