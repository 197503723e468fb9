"""Depthwise convolution, one kernel a channel, in the form that is fast on each platform.

It is exact: values and gradients are those of `jax.lax.conv_general_dilated`, up to rounding. XLA:CPU runs a
grouped convolution as one convolution a channel; a sum of shifted products takes a tenth of the time or less.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from cosegnet_jax.ops.precision import accumulator


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve(
    x: Float[Array, 'n h w c'], kernel: Float[Array, 'k k c'], stride: int
) -> Float[Array, 'n h2 w2 c']:
    """Depthwise convolution with TensorFlow's SAME padding: a side of s pixels becomes ceil(s / stride)."""
    return lax.platform_dependent(
        x,
        kernel,
        cpu=functools.partial(shifted, stride=stride),
        default=functools.partial(plain, stride=stride),
    )


def plain(
    x: Float[Array, 'n h w c'], kernel: Float[Array, 'k k c'], stride: int
) -> Float[Array, 'n h2 w2 c']:
    """XLA's own form."""
    return lax.conv_general_dilated(
        x,
        kernel[:, :, None],
        (stride, stride),
        'SAME',
        dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
        feature_group_count=x.shape[3],
    )


def shifted(
    x: Float[Array, 'n h w c'], kernel: Float[Array, 'k k c'], stride: int
) -> Float[Array, 'n h2 w2 c']:
    """The sum over taps of the map, moved by the tap, times the tap."""
    size = kernel.shape[0]
    padding = tuple(_same_padding(side, size, stride) for side in x.shape[1:3])
    return _sum_of_products(x, kernel, stride, padding)


def _forward(x: Array, kernel: Array, stride: int) -> tuple[Array, tuple[Array, Array]]:
    return convolve(x, kernel, stride), (x, kernel)


def _backward(stride: int, residuals: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    return lax.platform_dependent(
        *residuals,
        dy,
        cpu=functools.partial(_shifted_gradients, stride=stride),
        default=functools.partial(_plain_gradients, stride=stride),
    )


convolve.defvjp(_forward, _backward)


def _plain_gradients(x: Array, kernel: Array, dy: Array, stride: int) -> tuple[Array, Array]:
    return jax.vjp(functools.partial(plain, stride=stride), x, kernel)[1](dy)


def _shifted_gradients(x: Array, kernel: Array, dy: Array, stride: int) -> tuple[Array, Array]:
    size = kernel.shape[0]
    padding = tuple(_same_padding(side, size, stride) for side in x.shape[1:3])
    # The gradient of the map is a convolution of dy, its pixels `stride` apart, with the mirrored kernel.
    apart = lax.pad(dy, jnp.zeros((), dy.dtype), [(0, 0, 0), *[(0, 0, stride - 1)] * 2, (0, 0, 0)])
    around = tuple(
        (size - 1 - before, side + before - there)
        for (before, _), side, there in zip(padding, x.shape[1:3], apart.shape[1:3], strict=True)
    )
    dx = _sum_of_products(apart, jnp.flip(kernel, (0, 1)), 1, around)
    return dx, _kernel_gradient(x, dy, size, stride, padding).astype(kernel.dtype)


def _sum_of_products(
    x: Array, kernel: Array, stride: int, padding: tuple[tuple[int, int], ...]
) -> Float[Array, 'n h2 w2 c']:
    wide = accumulator(x)
    taps = kernel.reshape(-1, kernel.shape[2]).astype(wide)
    products = [moved * tap for moved, tap in zip(_moved(x, len(kernel), stride, padding), taps, strict=True)]
    return functools.reduce(jnp.add, products).astype(x.dtype)


def _kernel_gradient(
    x: Array, dy: Array, size: int, stride: int, padding: tuple[tuple[int, int], ...]
) -> Float[Array, 'k k c']:
    """Sums of all taps side by side, of each image first and then of all: a tenth of the time of one by one.

    The barrier keeps XLA from making one reduction of both, which it does not vectorize.
    """
    dy = dy.astype(accumulator(dy))
    products = [moved * dy for moved in _moved(x, size, stride, padding)]
    zeros = [jnp.zeros((), dy.dtype)] * len(products)

    def add(some: list[Array], others: list[Array]) -> list[Array]:
        return [a + b for a, b in zip(some, others, strict=True)]

    of_images = jnp.stack(lax.reduce(products, zeros, add, (1, 2)))
    return lax.optimization_barrier(of_images).sum(1).reshape(size, size, -1)


def _moved(
    x: Array, size: int, stride: int, padding: tuple[tuple[int, int], ...]
) -> Iterator[Float[Array, 'n h2 w2 c']]:
    """What each tap sees of the padded map, in the order of the taps, in the type to sum in."""
    padded = lax.pad(
        x.astype(accumulator(x)),
        jnp.zeros((), accumulator(x)),
        [(0, 0, 0), *[(before, after, 0) for before, after in padding], (0, 0, 0)],
    )
    n, height, width, c = padded.shape
    for row in range(size):
        for column in range(size):
            end = n, height - size + 1 + row, width - size + 1 + column, c
            yield lax.slice(padded, (0, row, column, 0), end, (1, stride, stride, 1))


def _same_padding(side: int, size: int, stride: int) -> tuple[int, int]:
    """Zeros before and after a side, the odd one after it."""
    total = max((-(-side // stride) - 1) * stride + size - side, 0)
    return total // 2, total - total // 2
