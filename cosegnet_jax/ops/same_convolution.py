"""Convolution of stride 1 with zeros around the map, in the form that is fast on each platform.

It is exact: values and gradients are those of `jax.lax.conv_general_dilated`, up to rounding.
"""

from __future__ import annotations

import jax
from jax import lax
from jaxtyping import Array

from cosegnet_jax.ops import cpu_convolution


@jax.custom_vjp
def convolve(x: Array, kernel: Array) -> Array:
    """Convolution with zeros on every side: an odd kernel keeps the size of the map, 2×2 adds one."""
    return lax.platform_dependent(x, kernel, cpu=cpu_convolution.convolve, default=_convolve)


def _forward(x: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
    return convolve(x, kernel), (x, kernel)


def _backward(residuals: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    return lax.platform_dependent(*residuals, dy, cpu=cpu_convolution.gradients, default=_gradients)


convolve.defvjp(_forward, _backward)


def _convolve(x: Array, kernel: Array) -> Array:
    padding = [(size // 2, size // 2) for size in kernel.shape[:2]]
    return lax.conv_general_dilated(x, kernel, (1, 1), padding, dimension_numbers=('NHWC', 'HWIO', 'NHWC'))


def _gradients(x: Array, kernel: Array, dy: Array) -> tuple[Array, Array]:
    return jax.vjp(_convolve, x, kernel)[1](dy)
