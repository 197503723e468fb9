"""Multiply-accumulates (MAC) of the networks, counted from the operations that JAX traces.

There are two counts: of a network as its paper draws it; and of direct convolutions that do not repeat
products of copies, so that one after nearest-neighbor enlargement takes fewer. The forms that some devices
compute (`ops.convolution`) take fewer still.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax.extend.core import jaxprs_in_params
from jaxtyping import Array

from cosegnet_jax import networks
from cosegnet_jax.config import Model
from cosegnet_jax.networks import plain
from cosegnet_jax.networks.layers import Convolution


class Macs(NamedTuple):
    """MAC by how often they are done."""

    first: int  # once an image: the first layer, whose input needs no gradient
    image: int  # once an image: the rest of its description
    mask: int  # once a mask: of an image in CoSegNet, of an image in a pair in the other networks


def count(config: Model, image_size: int, *, as_drawn: bool) -> Macs:
    """Count the MAC of a network on images of `image_size` squared.

    Args:
        config: The network.
        image_size: Side in pixels.
        as_drawn: Convolve enlarged maps as papers draw it; else without repeating the products of copies.
    """

    def build() -> nnx.Module:
        model = networks.build(config, 0)
        plain.use(model)
        for _, module in nnx.iter_modules(model):
            if isinstance(module, Convolution) and module.form is plain.enlarge_and_convolve and not as_drawn:
                module.form = _convolve_copies_once
        return model

    graph, params = nnx.split(nnx.eval_shape(build))
    image = jax.ShapeDtypeStruct((1, image_size, image_size, 3), jnp.uint8)

    def describe(params: Any, image: Array) -> Any:
        model: Any = nnx.merge(graph, params)
        return model.describe(image)

    def mask(params: Any, description: Any) -> Array:
        model: Any = nnx.merge(graph, params)
        if networks.NETWORKS[config.name].of_pairs:
            return model.pair_masks(description, description)
        return model.masks(description)

    first, *others = _macs(describe, params, image)
    return Macs(first, sum(others), sum(_macs(mask, params, jax.eval_shape(describe, params, image))))


def train_step(macs: Macs, images: int, masks: int) -> int:
    """Floating-point operations of one update that describes `images` and makes `masks`.

    A layer costs its MAC three times: forward, for the gradient of its input, and for that of its kernel;
    the first layer needs no gradient of its input. One MAC is two operations.
    """
    return 2 * (images * (2 * macs.first + 3 * macs.image) + masks * 3 * macs.mask)


def evaluation(macs: Macs, images: int, masks: int) -> int:
    """Floating-point operations of describing `images` and making `masks`."""
    return 2 * (images * (macs.first + macs.image) + masks * macs.mask)


def _convolve_copies_once(x: Array, kernel: Array, bias: Array) -> Array:
    """Compute what has the shape and the MAC of a convolution of the enlarged map, but not its values.

    Three taps in a row see two pixels and their copies, and five see three. So each of the four pixels that
    are made of one has a kernel of (k + 1) / 2 taps a side.
    """
    n, h, w, _ = x.shape
    taps = (len(kernel) + 1) // 2
    four = jnp.tile(kernel[:taps, :taps], (1, 1, 1, 4))
    return plain.convolve(x, four, jnp.tile(bias, 4)).reshape(n, 2 * h, 2 * w, -1)


def _macs(function: Callable[..., Any], *arguments: Any) -> list[int]:
    """MAC of each convolution and product of a function, in order."""
    return list(_of_program(jax.make_jaxpr(function)(*arguments).jaxpr))


def _of_program(jaxpr: Any) -> Iterator[int]:
    for equation in jaxpr.eqns:
        for inner in jaxprs_in_params(equation.params):
            yield from _of_program(inner)
        out, name, params = equation.outvars[0].aval, equation.primitive.name, equation.params
        if name == 'dot_general':
            contracted = params['dimension_numbers'][0][0]
            yield out.size * math.prod(equation.invars[0].aval.shape[axis] for axis in contracted)
        elif name == 'conv_general_dilated':
            kernel = equation.invars[1].aval  # as many output channels as there are in the result
            channels = kernel.shape[params['dimension_numbers'].rhs_spec[0]]
            # Of a deconvolution's taps, most meet the zeros between the pixels.
            yield out.size * kernel.size // channels // math.prod(params['lhs_dilation'])
