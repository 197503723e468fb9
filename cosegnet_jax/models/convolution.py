"""The two convolutions that the network is made of, in a form that is also fast on the CPU.

Both are exact: values and gradients are those of `jax.lax.conv_general_dilated`, up to rounding.
"""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

# With fewer channels than this, copying a map once per tap costs less than copying the other map.
_NARROW = 8

# [phase, tap, 3]: which of three taps over an enlarged row fall on the same pixel of the small row, where
# the window's middle is the second copy of a pixel (phase 0) or the first (phase 1).
_TAPS_OF_PHASE = np.array([[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]]])


def conv3x3(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '3 3 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n h w cout']:
    """3×3 convolution of stride 1 with zeros around the map, plus a bias."""
    return _add_bias(_convolve(x, kernel), bias)


def upsample_conv3x3(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '3 3 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n 2*h 2*w cout']:
    """Nearest-neighbour enlargement by two, then `conv3x3`, without making the enlarged map.

    Three neighbours in an enlarged row are copies of only two pixels, so each of the four output
    phases is a 2×2 convolution of the small map whose taps are sums of the 3×3 taps: 4/9 of the
    multiplications. All four are computed as one convolution, then interleaved.
    """
    n, h, w, _ = x.shape
    cout = kernel.shape[-1]
    phases = _convolve(x, _phase_kernels(kernel)).reshape(n, h + 1, w + 1, 2, 2, cout)
    # Window p of a row makes the pixels 2p - 1 and 2p; the first and the last fall outside the map.
    interleaved = phases.transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * h + 2, 2 * w + 2, cout)
    return _add_bias(interleaved[:, 1:-1, 1:-1], bias)


def _phase_kernels(kernel: Float[Array, '3 3 cin cout']) -> Float[Array, '2 2 cin 4*cout']:
    """2×2 kernels of the four phases, which are the outermost part of the output channels."""
    wide = _accumulator(kernel)
    cin, cout = kernel.shape[2:]
    sums = np.einsum('pik,qjl->ijpqkl', _TAPS_OF_PHASE, _TAPS_OF_PHASE).reshape(16, 9).astype(wide)
    # A product with zeros and ones: at less than the highest precision it would round the kernel. Not
    # an einsum, which swaps the factors and so has to transpose single elements instead of rows of `cout`.
    phases = lax.dot(sums, kernel.astype(wide).reshape(9, cin * cout), precision=lax.Precision.HIGHEST)
    phases = phases.reshape(4, 4, cin, cout).transpose(0, 2, 1, 3).reshape(2, 2, cin, 4 * cout)
    return phases.astype(kernel.dtype)


def _add_bias(y: Array, bias: Array) -> Array:
    """Adds in at least float32, so that the gradient of the bias, a sum over every pixel, is one too."""
    wide = _accumulator(y)
    return (y.astype(wide) + bias.astype(wide)).astype(y.dtype)


@jax.custom_vjp
def _convolve(x: Array, kernel: Array) -> Array:
    """Convolution with one row of zeros on every side: 3×3 keeps the size of the map, 2×2 adds one."""
    return _correlate(x, kernel, padding=1)


def _convolve_forward(x: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
    return _convolve(x, kernel), (x, kernel)


def _convolve_backward(residuals: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    x, kernel = residuals
    size = kernel.shape[0]
    dx = _correlate(dy, jnp.flip(kernel, (0, 1)).swapaxes(2, 3), padding=size - 2)

    def by_convolution(x: Array, dy: Array) -> Array:
        return jax.linear_transpose(lambda kernel: _convolution(x, kernel, 1), kernel)(dy)[0]

    def by_product(x: Array, dy: Array) -> Array:
        return _kernel_gradient(x, dy, size).astype(kernel.dtype)

    return dx, lax.platform_dependent(x, dy, cpu=by_product, default=by_convolution)


_convolve.defvjp(_convolve_forward, _convolve_backward)


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
        y = jnp.matmul(windows, kernel.reshape(-1, kernel.shape[3]), preferred_element_type=_accumulator(x))
        return y.astype(x.dtype)

    def by_convolution(x: Array, kernel: Array) -> Array:
        return _convolution(x, kernel, padding)

    return lax.platform_dependent(x, kernel, cpu=by_product, default=by_convolution)


def _convolution(x: Array, kernel: Array, padding: int) -> Array:
    return lax.conv_general_dilated(
        x, kernel, (1, 1), [(padding, padding)] * 2, dimension_numbers=('NHWC', 'HWIO', 'NHWC')
    )


def _kernel_gradient(x: Array, dy: Array, size: int) -> Array:
    """Gradient of the kernel of `_convolve` as one matrix product, for XLA:CPU.

    XLA's own form is a convolution with a kernel as large as the map, which takes up to four times
    as long, and a hundred times or more for the even kernels of `upsample_conv3x3`.

    Tap (i, j) is the sum over pixels p of x[p + (i, j) - 1] dy[p]. Moving dy the other way gives the same
    sum, so rows may be moved in one map and columns in the other: the product of a map with its three
    moves along rows and one with its three moves along columns holds all nine taps, after six copies. Both
    kinds of moves go to a map of very few channels (the photo, the mask), which is cheaper to copy.
    """
    cin, cout = x.shape[-1], dy.shape[-1]
    x_rows, dy_rows = (size, 1) if cin < _NARROW else (1, size)
    x_columns, dy_columns = (1, size) if cout < _NARROW else (size, 1)
    h = (dy if x_rows > 1 else x).shape[1]
    w = (dy if x_columns > 1 else x).shape[2]

    def moves(count: int) -> range:
        return range(-1, count - 1) if count > 1 else range(1)

    x_moves = itertools.product(moves(x_rows), moves(x_columns))
    dy_moves = ((-row, -column) for row, column in itertools.product(moves(dy_rows), moves(dy_columns)))
    # Two dimensions only: XLA:CPU would transpose maps that it has to sum over several axes.
    taps = lax.dot_general(
        _windows(x, x_moves, h, w).reshape(-1, x_rows * x_columns * cin),
        _windows(dy, dy_moves, h, w).reshape(-1, dy_rows * dy_columns * cout),
        (((0,), (0,)), ((), ())),
        preferred_element_type=_accumulator(x),
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


def _accumulator(x: Array) -> jnp.dtype:
    return jnp.promote_types(x.dtype, jnp.float32)
