"""Enlargement and 3×3 convolution in nine matrix products of the small map, for the CPU.

Four phases of 2×2 taps take sixteen (`convolution.upsample_conv3x3_by_phases`). In a row, with taps a, b
and c, the two copies of pixel i become

    a x[i - 1] + (b + c) x[i]  =  s x[i] + a (x[i - 1] - x[i])
    (a + b) x[i] + c x[i + 1]  =  s x[i] - c (x[i] - x[i + 1]),    s = a + b + c,

so that three products, of a pixel and of its differences from the one before and the one after it, make both.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

_OF_TAPS = np.array([[1, 1, 1], [1, 0, 0], [0, 0, -1]])  # s, a and -c
_OF_KERNEL = np.kron(_OF_TAPS, _OF_TAPS)


def upsample_conv3x3(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '3 3 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n 2*h 2*w cout']:
    """`convolution.upsample_conv3x3`; in less than float32 its differences would round too coarsely."""
    # Not an einsum of both axes, which XLA:CPU transposes number by number.
    taps = (jnp.asarray(_OF_KERNEL, kernel.dtype) @ kernel.reshape(9, -1)).reshape(kernel.shape)
    beside, above = _differences(x, 2), _differences(x, 1)
    ss = x @ taps[0, 0]
    sa, sc = _products(beside, taps[0, 1:])
    as_, cs = _products(above, taps[1:, 0])
    aa, ac, ca, cc = _products(_differences(above, 2), taps[1:, 1:].reshape(4, *kernel.shape[2:]))
    rows = [_copies(*products, axis=2) for products in ((ss, sa, sc), (as_, aa, ac), (cs, ca, cc))]
    return _copies(*rows, axis=1) + bias


def _differences(x: Float[Array, 'n h w c'], axis: int) -> Float[Array, 'n h2 w2 c']:
    """Of each pixel from the one before it, with zeros around the map: one more than there are pixels."""
    zero, rest = jnp.zeros((), x.dtype), (0, 0, 0)
    before, after = ([(1 - late, late, 0) if a == axis else rest for a in range(4)] for late in (0, 1))
    return lax.pad(x, zero, before) - lax.pad(x, zero, after)


def _products(
    x: Float[Array, 'n h w cin'], taps: Float[Array, 'k cin cout']
) -> list[Float[Array, 'n h w cout']]:
    """Of the same map with several taps, as one matrix product."""
    k, cin, cout = taps.shape
    return jnp.split(x @ taps.swapaxes(0, 1).reshape(cin, k * cout), k, axis=-1)


def _copies(same: Array, before: Array, after: Array, axis: int) -> Array:
    """Both copies of each pixel, interleaved."""
    last = before.shape[axis]
    first = same + lax.slice_in_dim(before, 0, last - 1, axis=axis)
    second = same + lax.slice_in_dim(after, 1, last, axis=axis)
    shape = list(same.shape)
    shape[axis] *= 2
    return jnp.stack([first, second], axis + 1).reshape(shape)
