"""The convolutions against their plain forms."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from cosegnet_jax.ops.convolution import (
    conv3x3,
    upsample_conv3x3,
    upsample_conv3x3_by_phases,
    upsample_conv3x3_transposed,
)


def plain_conv3x3(x, kernel, bias):
    dimensions = ('NHWC', 'HWIO', 'NHWC')
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), 'SAME', dimension_numbers=dimensions) + bias


def plain_upsample_conv3x3(x, kernel, bias):
    return plain_conv3x3(jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2), kernel, bias)


def forms(*which):
    """Tests of these functions, each with its plain form and how many times its output is larger."""
    plain = {conv3x3: (plain_conv3x3, 1)}
    given = [(form, *plain.get(form, (plain_upsample_conv3x3, 2))) for form in which]
    return pytest.mark.parametrize(('fast', 'plain', 'scale'), given, ids=[form.__name__ for form in which])


ON_CPU = forms(conv3x3, upsample_conv3x3)
ALL = forms(conv3x3, upsample_conv3x3, upsample_conv3x3_by_phases, upsample_conv3x3_transposed)


def make_inputs(n, h, w, cin, cout, scale):
    """x, kernel, bias and a cotangent of the output, as float64 numpy arrays."""
    rng = np.random.default_rng(0)
    shapes = [(n, h, w, cin), (3, 3, cin, cout), (cout,), (n, scale * h, scale * w, cout)]
    return [rng.standard_normal(shape) for shape in shapes]


@functools.partial(jax.jit, static_argnums=0)
def value_and_gradients(function, x, kernel, bias, cotangent):
    value, transpose = jax.vjp(function, x, kernel, bias)
    return value, *transpose(cotangent)


@ALL
@pytest.mark.parametrize(
    ('h', 'w', 'cin', 'cout'),
    [(6, 4, 9, 10), (3, 7, 8, 9), (1, 1, 8, 9), (2, 2, 9, 8), (5, 4, 3, 8), (4, 5, 8, 1), (1, 2, 2, 1)],
)
def test_value_and_gradients_are_those_of_the_plain_form(fast, plain, scale, h, w, cin, cout):
    with jax.enable_x64(True):
        arrays = [jnp.asarray(a) for a in make_inputs(2, h, w, cin, cout, scale)]
        got = value_and_gradients(fast, *arrays)
        want = value_and_gradients(plain, *arrays)
    for a, b in zip(got, want, strict=True):
        assert a.dtype == jnp.float64
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


# Wide enough for F(4, 3); with rows that fill its tiles, and that leave one to three of them over.
@pytest.mark.parametrize(
    ('h', 'w', 'cin', 'cout'), [(8, 5, 48, 50), (9, 3, 50, 48), (10, 1, 48, 48), (11, 6, 48, 49)]
)
def test_value_and_gradients_of_wide_maps_are_those_of_the_plain_form(h, w, cin, cout):
    arrays = make_inputs(2, h, w, cin, cout, 1)
    with jax.enable_x64(True):
        want = [np.asarray(a) for a in value_and_gradients(plain_conv3x3, *arrays)]
        double = value_and_gradients(conv3x3, *arrays)
    single = value_and_gradients(conv3x3, *(a.astype(np.float32) for a in arrays))
    for got, tolerance in [(double, 1e-13), (single, 1e-5)]:
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max())


@ALL
@pytest.mark.parametrize(('cin', 'cout'), [(3, 16), (16, 16), (16, 1)])
def test_bfloat16_is_rounded_and_not_accumulated_in(fast, plain, scale, cin, cout):
    arrays = [jnp.asarray(a, jnp.bfloat16) for a in make_inputs(2, 16, 16, cin, cout, scale)]
    got = value_and_gradients(fast, *arrays)
    want = value_and_gradients(plain, *(a.astype(jnp.float32) for a in arrays))
    for a, b in zip(got, want, strict=True):
        assert a.dtype == jnp.bfloat16
        np.testing.assert_allclose(a.astype(jnp.float32), b, rtol=0, atol=0.01 * float(jnp.abs(b).max()))


@ALL
def test_shards_of_a_batch_give_the_values_and_gradients_of_the_whole(fast, plain, scale):
    devices = jax.devices()[:4]
    assert len(devices) == 4
    mesh = jax.make_mesh((4,), ('data',), axis_types=(jax.sharding.AxisType.Auto,), devices=devices)
    batch, everywhere = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in [('data',), ()])
    x, kernel, bias, cotangent = (a.astype(np.float32) for a in make_inputs(8, 4, 4, 8, 9, scale))
    want = value_and_gradients(plain, x, kernel, bias, cotangent)

    x, cotangent = jax.device_put((x, cotangent), batch)
    kernel, bias = jax.device_put((kernel, bias), everywhere)
    step = jax.jit(
        lambda *arrays: value_and_gradients(fast, *arrays),
        out_shardings=(batch, batch, everywhere, everywhere),
    )
    got = step(x, kernel, bias, cotangent)
    assert 'all-gather' not in step.lower(x, kernel, bias, cotangent).compile().as_text()
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-4)


@ON_CPU
def test_no_input_gradient_is_computed_where_none_is_asked_for(fast, plain, scale):
    x, kernel, bias, _ = (jnp.asarray(a, jnp.float32) for a in make_inputs(1, 4, 4, 3, 8, scale))

    def loss(kernel, bias):
        return fast(x, kernel, bias).sum()

    compiled = jax.jit(jax.grad(loss, argnums=(0, 1))).lower(kernel, bias).compile().as_text()
    assert ' convolution(' not in compiled


@ON_CPU
def test_lowers_for_other_platforms_than_the_one_it_runs_on(fast, plain, scale):
    arrays = [a.astype(np.float32) for a in make_inputs(1, 4, 4, 8, 8, scale)]
    step = jax.jit(lambda *arrays: value_and_gradients(fast, *arrays))
    traced = step.trace(*arrays)
    on = {p: traced.lower(lowering_platforms=(p,)).as_text() for p in ('cpu', 'tpu', 'cuda')}
    assert {p: text.count('stablehlo.convolution') for p, text in on.items()} == {
        'cpu': {conv3x3: 2, upsample_conv3x3: 0}[fast],  # matrix products instead
        'tpu': 3,
        'cuda': 3,
    }


def test_tpus_take_the_transposed_form_and_other_devices_phases():
    arrays = [a.astype(np.float32) for a in make_inputs(1, 4, 4, 8, 8, 2)]
    traced = jax.jit(lambda *arrays: value_and_gradients(upsample_conv3x3, *arrays)).trace(*arrays)
    transposed = {
        platform: 'lhs_dilate = [2, 2]' in traced.lower(lowering_platforms=(platform,)).as_text()
        for platform in ('cpu', 'cuda', 'rocm', 'tpu')
    }
    assert transposed == {'cpu': False, 'cuda': False, 'rocm': False, 'tpu': True}
