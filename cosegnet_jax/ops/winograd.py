"""3×3 convolution in half of the multiplications: F(4, 3) along the rows of a map.

Four rows of the output see six of the input. Three taps for each of four outputs would be twelve products;
interpolation makes do with six, of linear combinations of rows and such of taps (Winograd, 1980; Lavin and
Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016). What is left along the columns is a plain
1×3 convolution for each of the six. In both directions a quarter of the multiplications would do, but there
is twice as much to combine, strewn over memory, and it rounds five times as coarsely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

OUT, TAPS = 4, 3
_IN = OUT + TAPS - 1

# Interpolation at 0, 1, -1, 2, -2 and infinity, with one row for each of the products.
_OF_INPUT = np.array(  # Lavin and Gray: B transposed
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
_OF_TAPS = np.array(  # G
    [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]],
) / [[24]]
_OF_OUTPUT = np.array(  # A
    [[1, 0, 0, 0], [1, 1, 1, 1], [1, -1, 1, -1], [1, 2, 4, 8], [1, -2, 4, -8], [0, 0, 0, 1]]
)

Rows = list[Float[Array, 'n tiles w c']]  # one map for each row of a tile, or for each product


def convolve(
    x: Float[Array, 'n h w cin'],
    kernel: Float[Array, '3 3 cin cout'],
    along_columns: Callable[[Array, Array], Array],
) -> Float[Array, 'n h w cout']:
    """Convolution with zeros around the map.

    Args:
        x: The map.
        kernel: Its taps.
        along_columns: Convolves a map with a 1×3 kernel, with zeros around it.
    """
    products = [along_columns(part, taps) for part, taps in zip(_parts(x), _taps(kernel), strict=True)]
    return _untiled(_combine(_OF_OUTPUT.T, products))[:, : x.shape[1]]


def gradients(
    x: Float[Array, 'n h w cin'],
    kernel: Float[Array, '3 3 cin cout'],
    dy: Float[Array, 'n h w cout'],
    along_columns: Callable[[Array, Array], Array],
    kernel_along_columns: Callable[[Array, Array], Array],
) -> tuple[Float[Array, 'n h w cin'], Float[Array, '3 3 cin cout']]:
    """Gradients of `convolve` in `x` and `kernel`: the transposes of its three combinations.

    Args:
        x: The map.
        kernel: Its taps.
        dy: Cotangent of the result.
        along_columns: As for `convolve`.
        kernel_along_columns: Gradient of its kernel [1 3 cin cout], from its map and the cotangent.
    """
    of_products = _combine(_OF_OUTPUT, _tiles(dy, 0, OUT))
    flipped = jnp.flip(_taps(kernel), 2).swapaxes(3, 4)
    of_parts = [along_columns(d, taps) for d, taps in zip(of_products, flipped, strict=True)]
    of_taps = [kernel_along_columns(part, d) for part, d in zip(_parts(x), of_products, strict=True)]
    dx = _overlapped(_combine(_OF_INPUT.T, of_parts), x.shape[1])
    return dx, _mixed(_OF_TAPS.T, jnp.concatenate(of_taps))


def _parts(x: Float[Array, 'n h w c']) -> Rows:
    """What is multiplied, of the map."""
    return _combine(_OF_INPUT, _tiles(x, 1, _IN))


def _taps(kernel: Float[Array, '3 3 cin cout']) -> Float[Array, '6 1 3 cin cout']:
    """What is multiplied, of the kernel."""
    return _mixed(_OF_TAPS, kernel)[:, None]


def _mixed(
    coefficients: np.ndarray, taps: Float[Array, 'rows 3 cin cout']
) -> Float[Array, 'more 3 cin cout']:
    return jnp.tensordot(coefficients.astype(taps.dtype), taps, 1, precision=lax.Precision.HIGHEST)


def _tiles(x: Float[Array, 'n h w c'], above: int, count: int) -> Rows:
    """The first `count` rows of all tiles, of which one begins at every fourth row, `above` rows early."""
    n, h, w, c = x.shape
    tiles = -(-h // OUT)
    height = OUT * (tiles + (count > OUT))
    tiled = _pad(x, above, height - above - h).reshape(n, height // OUT, OUT, w, c)
    return [tiled[:, row // OUT : row // OUT + tiles, row % OUT] for row in range(count)]


def _untiled(rows: Rows) -> Float[Array, 'n h w c']:
    """The map whose tiles of four rows these are."""
    n, tiles, w, c = rows[0].shape
    return jnp.stack(rows, axis=2).reshape(n, tiles * OUT, w, c)


def _overlapped(rows: Rows, height: int) -> Float[Array, 'n height w c']:
    """Transpose of taking tiles of six rows, one row early: the last two begin the next tile."""
    nothing = [jnp.zeros_like(rows[0])] * (2 * OUT - _IN)
    first, last = _untiled(rows[:OUT]), _untiled([*rows[OUT:], *nothing])
    return (_pad(first, 0, OUT) + _pad(last, OUT, 0))[:, 1 : 1 + height]


def _pad(x: Float[Array, 'n h w c'], above: int, below: int) -> Float[Array, 'n h2 w c']:
    return lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), (above, below, 0), (0, 0, 0), (0, 0, 0)])


def _combine(coefficients: np.ndarray, rows: Sequence[Array]) -> Rows:
    """A linear combination of maps for each row of `coefficients`, added up in the order of the maps."""

    def combination(row: np.ndarray) -> Array:
        terms = [x if a == 1 else a.astype(x.dtype) * x for a, x in zip(row, rows, strict=True) if a]
        return sum(terms[1:], terms[0])

    return [combination(row) for row in coefficients]
