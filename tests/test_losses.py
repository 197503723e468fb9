import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosegnet_jax import losses
from cosegnet_jax.config import Loss

RNG = np.random.default_rng(0)


def entropy(logits, truth):
    p = 1 / (1 + np.exp(-np.asarray(logits, np.float64)))
    return -(truth * np.log(p) + (1 - truth) * np.log(1 - p))


def test_mask_loss_is_equation_2_with_both_terms_on_pairs_that_share():
    logits = jnp.asarray(RNG.normal(size=(3, 2, 4, 4)), jnp.float32)
    masks = jnp.asarray(RNG.integers(0, 2, (3, 2, 4, 4), np.uint8))
    share = jnp.array([True, False, True])
    per_pixel = entropy(logits, np.asarray(masks))
    mean = losses.mask_loss(logits, masks, share, 'mean')
    np.testing.assert_allclose(mean, np.where(share, per_pixel.mean((1, 2, 3)), 0), rtol=1e-5)
    summed = losses.mask_loss(logits, masks, share, 'sum')
    np.testing.assert_allclose(summed, np.where(share, per_pixel.sum((2, 3)).mean(1), 0), rtol=1e-5)


def test_mask_loss_gives_no_gradient_to_pairs_that_share_nothing():
    logits = jnp.asarray(RNG.normal(size=(2, 2, 4, 4)), jnp.float32)
    masks = jnp.zeros((2, 2, 4, 4), jnp.uint8)
    share = jnp.array([True, False])
    gradient = jax.grad(lambda x: losses.mask_loss(x, masks, share, 'mean').sum())(logits)
    assert np.all(gradient[0] != 0)
    np.testing.assert_array_equal(gradient[1], 0)


def test_triplet_loss_is_equation_3():
    a, p, n = jnp.asarray(RNG.normal(size=(3, 5, 8)), jnp.float32)
    near, far = np.linalg.norm(a - p, axis=1), np.linalg.norm(a - n, axis=1)
    np.testing.assert_allclose(
        losses.triplet_loss(a, p, n, 1.0, 'euclidean'), np.maximum(0, near - far + 1), rtol=1e-5
    )
    np.testing.assert_allclose(
        losses.triplet_loss(a, p, n, 0.2, 'squared'),
        np.maximum(0, near**2 - far**2 + 0.2),
        rtol=1e-4,
        atol=1e-5,
    )


def test_triplet_gradient_is_finite_where_embeddings_coincide():
    same = jnp.ones((1, 4))
    gradient = jax.grad(lambda x: losses.triplet_loss(x, same, same, 1.0, 'euclidean').sum())(same)
    assert np.isfinite(gradient).all()


def test_decision_loss_is_equation_4_with_its_sign():
    logits = jnp.array([-2.0, 3.0])
    share = jnp.array([True, False])
    np.testing.assert_allclose(
        losses.decision_loss(logits, share), entropy(logits, np.asarray(share)), rtol=1e-5
    )


def test_weights_are_a_third_each_on_positive_and_a_half_each_on_negative_pairs():
    l1, l2, positive, negative = jnp.array([2.0]), jnp.array([3.0]), jnp.array([5.0]), jnp.array([7.0])
    values = losses.combine(l1, l2, positive, negative, jnp.array([True]), Loss())
    assert values.total == pytest.approx(0.33 * (2 + 3 + 5) + 0.5 * (3 + 7))
    ours = Loss(w1_positive=10.0, w2_positive=20.0, w3_positive=30.0, w2_negative=40.0, w3_negative=50.0)
    values = losses.combine(l1, l2, positive, negative, jnp.array([True]), ours)
    assert values.total == pytest.approx(10 * 2 + 20 * 3 + 30 * 5 + 40 * 3 + 50 * 7)
    # A first pair that shares nothing is a second negative pair, and there is no triplet.
    values = losses.combine(0 * l1, l2, positive, negative, jnp.array([False]), Loss())
    assert values.total == pytest.approx(0.5 * 5 + 0.5 * 7)
    assert values.triplet == 0
