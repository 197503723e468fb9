"""Depthwise convolution against XLA's grouped one."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosegnet_jax.ops import depthwise


@functools.partial(jax.jit, static_argnums=(0, 3))
def value_and_gradients(function, x, kernel, stride):
    value, transpose = jax.vjp(lambda x, kernel: function(x, kernel, stride), x, kernel)
    cotangent = np.random.default_rng(1).standard_normal(value.shape)
    return value, *transpose(jnp.asarray(cotangent, value.dtype))


def make_inputs(n, h, w, c, size):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, h, w, c)), rng.standard_normal((size, size, c))


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('size', [3, 5])
@pytest.mark.parametrize(('h', 'w'), [(8, 6), (7, 5), (2, 3), (1, 1)])
def test_value_and_gradients_are_those_of_the_grouped_convolution(h, w, size, stride):
    with jax.enable_x64(True):
        arrays = [jnp.asarray(a) for a in make_inputs(2, h, w, 3, size)]
        got = value_and_gradients(depthwise.convolve, *arrays, stride)
        want = value_and_gradients(depthwise.plain, *arrays, stride)
    for a, b in zip(got, want, strict=True):
        assert a.dtype == jnp.float64
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_bfloat16_is_rounded_and_not_accumulated_in():
    x, kernel = (jnp.asarray(a, jnp.bfloat16) for a in make_inputs(4, 16, 16, 4, 5))
    got = value_and_gradients(depthwise.convolve, x, kernel, 1)
    want = value_and_gradients(depthwise.plain, x.astype(jnp.float32), kernel.astype(jnp.float32), 1)
    for a, b in zip(got, want, strict=True):
        assert a.dtype == jnp.bfloat16
        np.testing.assert_allclose(a.astype(jnp.float32), b, rtol=0, atol=0.02 * float(jnp.abs(b).max()))


def test_only_the_cpu_sums_shifted_products():
    arrays = [a.astype(np.float32) for a in make_inputs(1, 4, 4, 8, 3)]
    traced = value_and_gradients.trace(depthwise.convolve, *arrays, 2)
    on = {p: traced.lower(lowering_platforms=(p,)).as_text() for p in ('cpu', 'tpu', 'cuda')}
    counts = {platform: text.count('stablehlo.convolution') for platform, text in on.items()}
    assert counts == {'cpu': 0, 'tpu': 3, 'cuda': 3}
