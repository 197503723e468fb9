"""Convolution of stride 1 with zeros around the map, in a form that is also fast on the CPU.

It is exact: values and gradients are those of `jax.lax.conv_general_dilated`, up to rounding.
"""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

# With fewer channels than this, copying a map once per tap costs less than copying the other map.
_NARROW = 8


def accumulator(x: Array) -> jnp.dtype:
    """Type to sum in: that of `x`, and float32 at the least."""
    return jnp.promote_types(x.dtype, jnp.float32)


@jax.custom_vjp
def convolve(x: Array, kernel: Array) -> Array:
    """Convolution with zeros on every side: an odd kernel keeps the size of the map, 2×2 adds one."""
    return _correlate(x, kernel, padding=kernel.shape[0] // 2)


def _forward(x: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
    return convolve(x, kernel), (x, kernel)


def _backward(residuals: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    x, kernel = residuals
    size = kernel.shape[0]
    padding = size // 2
    dx = _correlate(dy, jnp.flip(kernel, (0, 1)).swapaxes(2, 3), padding=size - 1 - padding)

    def by_convolution(x: Array, dy: Array) -> Array:
        return jax.linear_transpose(lambda kernel: _convolution(x, kernel, padding), kernel)(dy)[0]

    def by_product(x: Array, dy: Array) -> Array:
        return _kernel_gradient(x, dy, size).astype(kernel.dtype)

    return dx, lax.platform_dependent(x, dy, cpu=by_product, default=by_convolution)


convolve.defvjp(_forward, _backward)


def _correlate(x: Array, kernel: Array, padding: int) -> Array:
    """XLA's convolution, except on the CPU for a map of fewer pixels than the kernel has taps.

    XLA:CPU does not give those to its fast convolution: with 512 channels on 2×2 pixels, the product of
    their windows takes a hundredth of the time.
    """
    size = kernel.shape[0]
    if x.shape[1] * x.shape[2] >= size * size:
        return _convolution(x, kernel, padding)

    def by_product(x: Array, kernel: Array) -> Array:
        h, w = (side + 2 * padding - size + 1 for side in x.shape[1:3])
        corners = itertools.product(range(-padding, size - padding), repeat=2)
        windows = _windows(x, corners, h, w).reshape(x.shape[0], h, w, -1)
        y = jnp.matmul(windows, kernel.reshape(-1, kernel.shape[3]), preferred_element_type=accumulator(x))
        return y.astype(x.dtype)

    def by_convolution(x: Array, kernel: Array) -> Array:
        return _convolution(x, kernel, padding)

    return lax.platform_dependent(x, kernel, cpu=by_product, default=by_convolution)


def _convolution(x: Array, kernel: Array, padding: int) -> Array:
    return lax.conv_general_dilated(
        x, kernel, (1, 1), [(padding, padding)] * 2, dimension_numbers=('NHWC', 'HWIO', 'NHWC')
    )


def _kernel_gradient(x: Array, dy: Array, size: int) -> Array:
    """Gradient of the kernel of `convolve` as one matrix product, for XLA:CPU.

    XLA's own form is a convolution with a kernel as large as the map, which takes up to four times
    as long, and a hundred times or more for the even kernels of phases.

    Of a 3×3 kernel, tap (i, j) is the sum over pixels p of x[p + (i, j) - 1] dy[p]. Moving dy the other way
    gives the same sum, so rows may be moved in one map and columns in the other: the product of a map with
    its three moves along rows and one with its three moves along columns holds all nine taps, after six
    copies. Both kinds of moves go to a map of very few channels (the photo, the mask), which is cheaper to
    copy.
    """
    cin, cout = x.shape[-1], dy.shape[-1]
    x_rows, dy_rows = (size, 1) if cin < _NARROW else (1, size)
    x_columns, dy_columns = (1, size) if cout < _NARROW else (size, 1)
    h = (dy if x_rows > 1 else x).shape[1]
    w = (dy if x_columns > 1 else x).shape[2]

    def moves(count: int) -> range:
        return range(-(count // 2), count - count // 2)

    x_moves = itertools.product(moves(x_rows), moves(x_columns))
    dy_moves = ((-row, -column) for row, column in itertools.product(moves(dy_rows), moves(dy_columns)))
    # Two dimensions only: XLA:CPU would transpose maps that it has to sum over several axes.
    taps = lax.dot_general(
        _windows(x, x_moves, h, w).reshape(-1, x_rows * x_columns * cin),
        _windows(dy, dy_moves, h, w).reshape(-1, dy_rows * dy_columns * cout),
        (((0,), (0,)), ((), ())),
        preferred_element_type=accumulator(x),
    )
    taps = taps.reshape(x_rows, x_columns, cin, dy_rows, dy_columns, cout).transpose(0, 3, 1, 4, 2, 5)
    return taps.reshape(size, size, cin, cout)


def _windows(x: Array, corners, h: int, w: int) -> Float[Array, 'n h w corners c']:
    """The h×w windows of a map that begin at `corners`, (row, column) pairs, with zeros outside the map."""
    zero = jnp.zeros((), x.dtype)

    def window(row: int, column: int) -> Array:
        below, right = row + h - x.shape[1], column + w - x.shape[2]
        return lax.pad(x, zero, [(0, 0, 0), (-row, below, 0), (-column, right, 0), (0, 0, 0)])

    return jnp.stack([window(*corner) for corner in corners], axis=3)
