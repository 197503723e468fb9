"""Forms of a convolution and of its gradients that are fast on the CPU.

XLA:CPU has one fast convolution, the forward one of a map that is larger than the kernel. What is not of that
kind becomes a matrix product here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from cosegnet_jax.ops import winograd
from cosegnet_jax.ops.precision import accumulator

# With fewer channels than this, copying a map once per tap costs less than copying the other map.
_NARROW = 8
# With fewer channels than this, or rows, combining maps costs more than the products that it saves.
_WIDE, _HIGH = 48, 8


def convolve(x: Array, kernel: Array) -> Array:
    """`same_convolution.convolve` on the CPU."""
    if _worth_combining(x, kernel):
        return winograd.convolve(x, kernel, _by_row)
    padding = kernel.shape[0] // 2
    return _correlate(x, kernel, padding)


def gradients(x: Array, kernel: Array, dy: Array) -> tuple[Array, Array]:
    """Its gradients in `x` and `kernel`, where `dy` is that of its result."""
    if _worth_combining(x, kernel):
        return winograd.gradients(x, kernel, dy, _by_row, _kernel_gradient_by_row)
    size = kernel.shape[0]
    dx = _correlate(dy, jnp.flip(kernel, (0, 1)).swapaxes(2, 3), padding=(size - 1) // 2)
    return dx, _kernel_gradient(x, dy, size, size).astype(kernel.dtype)


def _worth_combining(x: Array, kernel: Array) -> bool:
    size, wide = kernel.shape[:2], min(kernel.shape[2:]) >= _WIDE
    return size == (3, 3) and wide and x.shape[1] >= _HIGH and x.dtype in (jnp.float32, jnp.float64)


def _correlate(x: Array, kernel: Array, padding: int) -> Array:
    """XLA's convolution, except for a map of fewer pixels than the kernel has taps.

    XLA:CPU does not give those to its fast convolution: with 512 channels on 2×2 pixels, the product of
    their windows takes a hundredth of the time.
    """
    size = kernel.shape[0]
    if x.shape[1] * x.shape[2] >= size * size:
        return _convolution(x, kernel, (padding, padding))
    h, w = (side + 2 * padding - size + 1 for side in x.shape[1:3])
    side = range(-padding, size - padding)
    corners = itertools.product(side, side)
    windows = _windows(x, corners, h, w).reshape(x.shape[0], h, w, -1)
    y = jnp.matmul(windows, kernel.reshape(-1, kernel.shape[3]), preferred_element_type=accumulator(x))
    return y.astype(x.dtype)


def _by_row(x: Array, kernel: Float[Array, '1 3 cin cout']) -> Array:
    return _convolution(x, kernel, (0, 1))


def _kernel_gradient_by_row(x: Array, dy: Array) -> Float[Array, '1 3 cin cout']:
    return _kernel_gradient(x, dy, 1, 3)


def _convolution(x: Array, kernel: Array, padding: tuple[int, int]) -> Array:
    sides = [(side, side) for side in padding]
    return lax.conv_general_dilated(x, kernel, (1, 1), sides, dimension_numbers=('NHWC', 'HWIO', 'NHWC'))


def _kernel_gradient(x: Array, dy: Array, rows: int, columns: int) -> Array:
    """Gradient of the kernel, of so many rows and columns, as one matrix product.

    XLA's own form is a convolution with a kernel as large as the map, which takes up to four times
    as long, and a hundred times or more for the even kernels of phases.

    Of a 3×3 kernel, tap (i, j) is the sum over pixels p of x[p + (i, j) - 1] dy[p]. Moving dy the other way
    gives the same sum, so rows may be moved in one map and columns in the other: the product of a map with
    its three moves along rows and one with its three moves along columns holds all nine taps, after six
    copies. Both kinds of moves go to a map of very few channels (the photo, the mask), which is cheaper to
    copy.
    """
    cin, cout = x.shape[-1], dy.shape[-1]
    x_rows, dy_rows = (rows, 1) if cin < _NARROW else (1, rows)
    x_columns, dy_columns = (1, columns) if cout < _NARROW else (columns, 1)
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
    return taps.reshape(rows, columns, cin, cout)


def _windows(x: Array, corners: Iterable[tuple[int, int]], h: int, w: int) -> Float[Array, 'n h w corners c']:
    """The h×w windows of a map that begin at `corners`, (row, column) pairs, with zeros outside the map."""
    zero = jnp.zeros((), x.dtype)

    def window(row: int, column: int) -> Array:
        below, right = row + h - x.shape[1], column + w - x.shape[2]
        return lax.pad(x, zero, [(0, 0, 0), (-row, below, 0), (-column, right, 0), (0, 0, 0)])

    return jnp.stack([window(*corner) for corner in corners], axis=3)
