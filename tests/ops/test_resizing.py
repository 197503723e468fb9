import jax
import jax.numpy as jnp
import numpy as np

from cosegnet_jax.ops import resizing


def test_bilinear_enlargement_is_that_of_jax():
    x = jnp.asarray(np.random.default_rng(0).standard_normal((2, 3, 5)), jnp.float32)
    want = jax.image.resize(x, (2, 12, 20), 'bilinear')
    np.testing.assert_allclose(resizing.enlarge_bilinearly(x, 4), want, atol=1e-6)


def test_pixels_are_copied_and_averaged_back():
    x = jnp.arange(12.0).reshape(1, 2, 3, 2)
    large = resizing.enlarge(x, 2)
    assert large.shape == (1, 4, 6, 2)
    np.testing.assert_array_equal(large[0, :2, 2:4, 1], x[0, 0, 1, 1])
    np.testing.assert_array_equal(resizing.average_pool(large[..., 0], 2), x[..., 0])
