"""The convolution of stride 2 against its plain form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosegnet_jax.ops import strided_convolution


@pytest.mark.parametrize(('h', 'w', 'cin', 'cout'), [(8, 6, 3, 10), (2, 2, 3, 4), (4, 8, 9, 8)])
def test_value_and_gradients_are_those_of_the_plain_form(h, w, cin, cout):
    rng = np.random.default_rng(0)
    shapes = [(2, h, w, cin), (3, 3, cin, cout), (cout,)]
    cotangent = rng.standard_normal((2, h // 2, w // 2, cout))
    with jax.enable_x64(True):
        arrays = [jnp.asarray(rng.standard_normal(shape)) for shape in shapes]
        results = []
        for form in (strided_convolution.halving_conv3x3, strided_convolution.plain):
            value, transpose = jax.vjp(jax.jit(form), *arrays)
            results.append((value, *transpose(jnp.asarray(cotangent))))
    for got, want in zip(*results, strict=True):
        assert got.dtype == jnp.float64
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
