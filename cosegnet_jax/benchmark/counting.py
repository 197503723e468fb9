"""Multiply-accumulates (MAC) of the networks, counted from their layer shapes.

Those of networks with VGG16 are counted by hand, the others from the operations that JAX traces.

By hand there are two counts: that of a network as its paper draws it, and that of direct convolutions that
do not repeat products of copies, so that one after nearest-neighbor enlargement takes fewer. The forms that
some devices compute (`ops.convolution`) take fewer still.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from cosegnet_jax import networks
from cosegnet_jax.config import Model
from cosegnet_jax.networks import image_network, plain
from cosegnet_jax.networks.decoder import CHANNELS, TAPS, UPSAMPLED
from cosegnet_jax.networks.encoders.vgg16 import BLOCKS, STRIDE
from cosegnet_jax.networks.layers import scaled
from cosegnet_jax.networks.peers import attention, deep_object_coseg


class Macs(NamedTuple):
    """MAC by how often they are done."""

    first: int  # once an image: conv1_1, whose input needs no gradient
    image: int  # once an image: the rest of its description
    mask: int  # once a mask: of an image in CoSegNet, of an image in a pair in the other networks


def count(config: Model, image_size: int, *, as_drawn: bool) -> Macs:
    """MAC of a network on images of `image_size` squared; the hundred thousand of CoSegNet's heads left out.

    Args:
        config: The network.
        image_size: Side in pixels.
        as_drawn: Convolve enlarged maps as papers draw it; else without repeating the products of copies.
    """
    if config.name == 'pyramid' or config.encoder != 'vgg16':
        return traced(config, image_size)
    first, *encoder = _encoder(config.width, image_size)
    image, mask = _AFTER_ENCODER[config.name](config, image_size, as_drawn)
    return Macs(first, sum(encoder) + image, mask)


def traced(config: Model, image_size: int) -> Macs:
    """MAC of describing one image and making its mask: the convolutions and products of the plain form."""

    def build() -> nnx.Module:
        model = networks.build(config, 0)
        plain.use(model)
        return model

    graph, params = nnx.split(nnx.eval_shape(build))
    image = jax.ShapeDtypeStruct((1, image_size, image_size, 3), jnp.uint8)
    describe = jax.make_jaxpr(
        lambda params, image: image_network.masks_and_embeddings(nnx.merge(graph, params), image)
    )
    first, *others = _products(describe(params, image).jaxpr)
    return Macs(first, sum(others), 0)


def _products(jaxpr: Any) -> Iterator[int]:
    """MAC of each convolution and product, in order."""
    for equation in jaxpr.eqns:
        for inner in jax.core.jaxprs_in_params(equation.params):
            yield from _products(inner)
        out, name = equation.outvars[0].aval, equation.primitive.name
        if name == 'dot_general':
            contracted = equation.params['dimension_numbers'][0][0]
            yield out.size * math.prod(equation.invars[0].aval.shape[axis] for axis in contracted)
        elif name == 'conv_general_dilated':
            kernel = equation.invars[1].aval  # as many output channels as there are in the result
            axis = equation.params['dimension_numbers'].rhs_spec[0]
            yield out.size * kernel.size // kernel.shape[axis]


def train_step(macs: Macs, images: int, masks: int) -> int:
    """Floating-point operations of one update that describes `images` and makes `masks`.

    A layer costs its MAC three times: forward, for the gradient of its input, and for that of its kernel;
    the first layer needs no gradient of its input. One MAC is two operations.
    """
    return 2 * (images * (2 * macs.first + 3 * macs.image) + masks * 3 * macs.mask)


def evaluation(macs: Macs, images: int, masks: int) -> int:
    """Floating-point operations of describing `images` and making `masks`."""
    return 2 * (images * (macs.first + macs.image) + masks * macs.mask)


def _cosegnet(config: Model, image_size: int, as_drawn: bool) -> tuple[int, int]:
    layers, cut = _decoder(config.width, image_size, 1, as_drawn), TAPS[config.tap]
    return sum(layers[:cut]), sum(layers[cut:])


def _base(config: Model, image_size: int, as_drawn: bool) -> tuple[int, int]:
    return 0, sum(_decoder(config.width, image_size, 2, as_drawn))


def _deep_object_coseg(config: Model, image_size: int, as_drawn: bool) -> tuple[int, int]:
    """Of the correlation, what is not zero beyond the map's edge."""
    del as_drawn  # it enlarges by deconvolutions
    width, side = config.width, image_size // STRIDE
    f, features = scaled(512, width), scaled(1024, width)
    image = _conv(side, 3, f, features) + _conv(side, 3, features, features)
    image += _conv(side, 1, features, f)
    mask = side**4 * features + _conv(side, 3, f + deep_object_coseg.DISPLACEMENTS, features)
    cin = features
    for channels in deep_object_coseg.BLOCKS:
        cout = scaled(channels, width)
        mask += _conv(side, 4, cin, cout)  # each pixel of the small map meets all of the 4×4 taps
        side *= 2
        mask += 2 * _conv(side, 3, cout, cout)
        cin = cout
    return image, mask + _conv(side, 3, cin, 2)


def _attention(config: Model, image_size: int, as_drawn: bool) -> tuple[int, int]:
    width, side = config.width, image_size // STRIDE
    cin = scaled(512, width)
    image = 2 * cin * scaled(attention.HIDDEN, width)
    mask = 2 * attention.RESIDUAL_BLOCKS * _conv(side, 3, cin, cin)
    for channels in attention.BLOCKS:
        side, cout = 2 * side, scaled(channels, width)
        mask += _enlarging_conv(side, 5, cin, cout, as_drawn)
        cin = cout
    return image, mask + _conv(side, 7, cin, 2)


# What follows VGG16: MAC once an image, and once a mask.
_AFTER_ENCODER = {
    'cosegnet': _cosegnet,
    'base': _base,
    'deep_object_coseg': _deep_object_coseg,
    'attention': _attention,
}


def _encoder(width: float, side: int) -> list[int]:
    """MAC of each of VGG16's convolutions."""
    layers, cin = [], 3
    for block in BLOCKS:
        for _, channels in block:
            cout = scaled(channels, width)
            layers.append(_conv(side, 3, cin, cout))
            cin = cout
        side //= 2
    return layers


def _decoder(width: float, image_size: int, maps: int, as_drawn: bool) -> list[int]:
    """MAC of each layer of CoSegNet's decoder, whose input concatenates `maps` feature maps."""
    layers, cin, side = [], maps * scaled(512, width), image_size // STRIDE
    for number, channels in enumerate(CHANNELS, 1):
        cout = channels if number == len(CHANNELS) else scaled(channels, width)
        if number in UPSAMPLED:
            side *= 2
            layers.append(_enlarging_conv(side, 3, cin, cout, as_drawn))
        else:
            layers.append(_conv(side, 3, cin, cout))
        cin = cout
    return layers


def _enlarging_conv(side: int, kernel: int, cin: int, cout: int, as_drawn: bool) -> int:
    """MAC after enlargement to `side`: three taps in a row see but two pixels, and five see three."""
    return _conv(side, kernel if as_drawn else (kernel + 1) // 2, cin, cout)


def _conv(side: int, kernel: int, cin: int, cout: int) -> int:
    return side**2 * kernel**2 * cin * cout
