import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosegnet_jax.config import Loss
from cosegnet_jax.losses import equations

RNG = np.random.default_rng(0)


def entropy(logits, truth):
    p = 1 / (1 + np.exp(-np.asarray(logits, np.float64)))
    return -(truth * np.log(p) + (1 - truth) * np.log(1 - p))


LOGITS = jnp.asarray(RNG.normal(size=(3, 4, 4)), jnp.float32)
MASKS = jnp.asarray(RNG.integers(0, 3, (3, 4, 4), np.uint8))
ALL = jnp.ones(3, bool)


def test_mask_loss_is_equation_2_with_both_terms():
    per_pixel = entropy(LOGITS, np.asarray(MASKS) > 0)
    mean = equations.mask_losses(LOGITS, MASKS, 2, ALL, 'mean').of_all
    np.testing.assert_allclose(mean, per_pixel.mean((1, 2)), rtol=1e-5)
    summed = equations.mask_losses(LOGITS, MASKS, 2, ALL, 'sum').of_all
    np.testing.assert_allclose(summed, per_pixel.sum((1, 2)), rtol=1e-5)


@pytest.mark.parametrize('reduction', ['mean', 'sum'])
def test_an_object_that_the_partner_lacks_is_background(reduction):
    values = equations.mask_losses(LOGITS, MASKS, 2, ALL, reduction)
    only_first = getattr(entropy(LOGITS, np.asarray(MASKS) == 1), reduction)((1, 2))
    np.testing.assert_allclose(values.of_all + values.without[:, 1], only_first, rtol=1e-4)


def test_mask_loss_gives_no_gradient_to_images_without_a_positive_pair():
    learns = jnp.array([True, False, True])

    def total(logits):
        values = equations.mask_losses(logits, MASKS, 2, learns, 'mean')
        return values.of_all.sum() + values.without.sum()

    gradient = jax.grad(total)(LOGITS)
    assert (gradient[::2] != 0).all((1, 2)).all()
    np.testing.assert_array_equal(gradient[1], 0)


def test_triplet_loss_is_equation_3():
    a, p, n = jnp.asarray(RNG.normal(size=(3, 5, 8)), jnp.float32)
    near, far = np.linalg.norm(a - p, axis=1), np.linalg.norm(a - n, axis=1)
    np.testing.assert_allclose(
        equations.triplet_loss(a, p, n, Loss()), np.maximum(0, near - far + 1), rtol=1e-5
    )
    np.testing.assert_allclose(
        equations.triplet_loss(a, p, n, Loss(margin=0.2, triplet_distance='squared')),
        np.maximum(0, near**2 - far**2 + 0.2),
        rtol=1e-4,
        atol=1e-5,
    )


def test_triplet_gradient_is_finite_where_embeddings_coincide():
    same = jnp.ones((1, 4))
    gradient = jax.grad(lambda x: equations.triplet_loss(x, same, same, Loss()).sum())(same)
    assert np.isfinite(gradient).all()


def test_decision_loss_is_equation_4_with_its_sign():
    logits = jnp.array([-2.0, 3.0])
    share = jnp.array([True, False])
    np.testing.assert_allclose(
        equations.decision_loss(logits, share), entropy(logits, np.asarray(share)), rtol=1e-5
    )


YES, NO = jnp.array([True]), jnp.array([False])
EACH = equations.TripletLosses(*(jnp.array([value]) for value in (2.0, 3.0, 5.0, 7.0)))


def test_weights_are_a_third_each_on_positive_and_a_half_each_on_negative_pairs():
    assert equations.combine(EACH, YES, YES, YES, Loss()).total == pytest.approx(
        0.33 * (2 + 3 + 5) + 0.5 * (3 + 7)
    )
    ours = Loss(w1_positive=10.0, w2_positive=20.0, w3_positive=30.0, w2_negative=40.0, w3_negative=50.0)
    values = equations.combine(EACH, YES, YES, YES, ours)
    assert values.total == pytest.approx(10 * 2 + 20 * 3 + 30 * 5 + 40 * 3 + 50 * 7)


def test_sums_over_a_batch_are_those_that_the_equations_print():
    """Three triplets: three times L2 and L3, and six times L1, which is over both images of a pair, too."""
    three = equations.TripletLosses(*(jnp.tile(part, 3) for part in EACH))
    yes = jnp.tile(YES, 3)
    mean, total = (
        equations.combine(three, yes, yes, yes, Loss(batch_reduction=reduction))
        for reduction in ('mean', 'sum')
    )
    assert mean.total == pytest.approx(0.33 * (2 + 3 + 5) + 0.5 * (3 + 7))
    assert total.total == pytest.approx(0.33 * (6 * 2 + 3 * 3 + 3 * 5) + 0.5 * (3 * 3 + 3 * 7))
    assert total[1:] == mean[1:]  # what is logged can be compared


def test_a_first_pair_that_shares_nothing_is_a_second_negative_pair():
    values = equations.combine(EACH, NO, YES, YES, Loss())
    assert values.total == pytest.approx(0.5 * 5 + 0.5 * 7)
    assert values.mask == values.triplet == values.active == 0


def test_a_pair_without_a_negative_has_its_masks_and_its_own_decision():
    values = equations.combine(EACH, YES, NO, YES, Loss())
    assert values.total == pytest.approx(0.33 * (2 + 5))
    assert values.triplet == 0


def test_places_that_hold_no_triplet_do_not_count():
    two = equations.TripletLosses(*(jnp.concatenate([part, 100 * part]) for part in EACH))
    yes, first = jnp.array([True, True]), jnp.array([True, False])
    alone, beside = (
        equations.combine(EACH, YES, YES, YES, Loss()),
        equations.combine(two, yes, yes, first, Loss()),
    )
    np.testing.assert_allclose(alone, beside)
    assert equations.combine(EACH, YES, YES, NO, Loss()).total == 0


def test_active_is_the_share_of_triplets_within_the_margin():
    two = equations.TripletLosses(*(jnp.array([0.0, 1.0]) for _ in range(4)))
    yes = jnp.array([True, True])
    assert equations.combine(two, yes, yes, yes, Loss()).active == 0.5
