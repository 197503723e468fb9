"""2×2 max-pooling in the form that suits the device."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float, UInt8


def max_pool(x: Float[Array, 'n h w c']) -> Float[Array, 'n h2 w2 c']:
    """2×2 max-pooling with stride 2 of a map with even sides.

    Of equal pixels the upper one, then the first in a row, gets the gradient.
    """
    return lax.platform_dependent(x, tpu=plain, default=remembering)


def plain(x: Float[Array, 'n h w c']) -> Float[Array, 'n h2 w2 c']:
    """XLA's own form: the TPU's compiler plans fewer bytes and cycles for it (docs/scaling.md)."""
    return nnx.max_pool(x, window_shape=(2, 2), strides=(2, 2))


@jax.custom_vjp
def remembering(x: Float[Array, 'n h w c']) -> Float[Array, 'n h2 w2 c']:
    """Keep which pixel was the largest, which XLA's own form has to find a second time.

    On the CPU that form is an order of magnitude slower.
    """
    return functools.reduce(jnp.maximum, _quarters(x))


def _forward(x: Array) -> tuple[Array, UInt8[Array, 'n h2 w2 c']]:
    y, quarters = remembering(x), _quarters(x)
    conditions = [quarter == y for quarter in quarters[:3]]
    return y, jnp.select(conditions, [jnp.uint8(i) for i in range(3)], jnp.uint8(3))


def _backward(largest: UInt8[Array, 'n h2 w2 c'], dy: Array) -> tuple[Array]:
    n, h, w, c = dy.shape
    quarter = jnp.arange(4, dtype=jnp.uint8).reshape(2, 1, 2, 1)
    dx = jnp.where(largest[:, :, None, :, None] == quarter, dy[:, :, None, :, None], 0)
    return (dx.reshape(n, 2 * h, 2 * w, c),)


remembering.defvjp(_forward, _backward)


def _quarters(x: Float[Array, 'n h w c']) -> list[Float[Array, 'n h2 w2 c']]:
    """The upper left pixel of every 2×2, the upper right, the lower left and the lower right one."""
    n, h, w, c = x.shape
    tiled = x.reshape(n, h // 2, 2, w // 2, 2, c)
    return [tiled[:, :, row, :, column] for row in (0, 1) for column in (0, 1)]
