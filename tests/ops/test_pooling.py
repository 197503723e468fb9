"""Max-pooling against XLA's own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from cosegnet_jax.ops.pooling import max_pool


@pytest.mark.parametrize('levels', [2, 1000], ids=['many equal pixels', 'few equal pixels'])
def test_value_and_gradient_are_those_of_the_plain_form(levels):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.integers(-levels, levels, (2, 6, 8, 3)), jnp.float32)
    dy = jnp.asarray(rng.standard_normal((2, 3, 4, 3)), jnp.float32)
    got, transpose = jax.vjp(max_pool, x)
    want, plain_transpose = jax.vjp(lambda x: nnx.max_pool(x, (2, 2), strides=(2, 2)), x)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(transpose(dy)[0], plain_transpose(dy)[0])


def test_tpus_compute_the_plain_form_and_other_devices_remember():
    """As lowered for each of them: XLA's own gradient selects and scatters."""
    gradient = jax.jit(jax.grad(lambda x: max_pool(x).sum())).trace(jnp.zeros((1, 4, 4, 2)))
    plain = {
        platform: 'select_and_scatter' in gradient.lower(lowering_platforms=(platform,)).as_text()
        for platform in ('cpu', 'cuda', 'tpu')
    }
    assert plain == {'cpu': False, 'cuda': False, 'tpu': True}


def test_gradient_keeps_the_type_of_the_map():
    x = jnp.ones((1, 2, 2, 1), jnp.bfloat16)
    assert jax.grad(lambda x: max_pool(x).sum())(x).dtype == jnp.bfloat16
