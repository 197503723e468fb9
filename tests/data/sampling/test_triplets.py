import numpy as np
import pytest

from cosegnet_jax.data.sampling.triplets import TripletSampler
from cosegnet_jax.runtime.errors import UserError

LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 0, 3, 3, 1])
# Image 9 is an outlier of class 0; of class 3 only image 11 shows the object, which leaves it no partner.
ELIGIBLE = np.array([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1], bool)
OUTLIERS, LONELY = {9, 12}, 11


def of(labels, visible, seed=0, triplets=4):
    """One class an image."""
    return TripletSampler(labels[:, None], visible[:, None], seed, triplets)


def sampler(seed=0, triplets=4):
    return of(LABELS, ELIGIBLE, seed, triplets)


def drawn(steps, batch, seed=0):
    return np.concatenate([sampler(seed, batch).draw(step) for step in range(steps)])


def test_positive_is_another_image_of_the_class_that_shows_the_object():
    anchor, positive, _ = drawn(200, 8).T
    assert (LABELS[anchor] == LABELS[positive]).all()
    assert (anchor != positive).all()
    assert ELIGIBLE[anchor].all()
    assert ELIGIBLE[positive].all()


def test_negative_is_of_another_class_or_an_outlier():
    anchor, _, negative = drawn(200, 8).T
    assert ((LABELS[anchor] != LABELS[negative]) | ~ELIGIBLE[negative]).all()
    assert (anchor != negative).all()


def test_outlier_is_a_negative_within_its_own_class_too():
    anchor, _, negative = drawn(200, 8).T
    assert (LABELS[anchor] == LABELS[negative]).any()


def test_partners_are_drawn_evenly():
    anchor, positive, negative = drawn(4000, 8).T
    of_three = anchor == 3
    positives = np.bincount(positive[of_three], minlength=len(LABELS))
    negatives = np.bincount(negative[of_three], minlength=len(LABELS))
    others = np.setdiff1d(np.flatnonzero((LABELS == 0) & ELIGIBLE), 3)
    strangers = np.flatnonzero((LABELS != 0) | ~ELIGIBLE)
    assert set(np.flatnonzero(positives)) == set(others)
    assert set(np.flatnonzero(negatives)) == set(strangers)
    np.testing.assert_allclose(positives[others] / of_three.sum(), 1 / len(others), atol=0.04)
    np.testing.assert_allclose(negatives[strangers] / of_three.sum(), 1 / len(strangers), atol=0.04)


@pytest.mark.parametrize('batch', [1, 3, 4, 25])
def test_every_image_with_a_partner_is_anchor_once_an_epoch(batch):
    expected = sorted(set(range(len(LABELS))) - OUTLIERS - {LONELY})
    count = sampler().anchors_per_epoch
    anchors = drawn(3 * count, batch)[:, 0]
    epochs = anchors[: len(anchors) // count * count].reshape(-1, count)
    assert len(epochs) >= 3
    for epoch in epochs:
        assert sorted(epoch) == expected
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_draw_is_a_function_of_seed_and_step():
    first, again = sampler(), sampler()
    later = [again.draw(step) for step in (7, 2, 5)]  # neither from the start nor in order
    for step, indices in zip((7, 2, 5), later, strict=True):
        np.testing.assert_array_equal(first.draw(step), indices)
    assert (drawn(8, 4) != drawn(8, 4, seed=1)).any(axis=0).all()


# Classes of six images, some of two: 0 and 1 meet in image 2, 1 and 2 in image 4.
SEVERAL = np.array([[0, -1], [0, -1], [0, 1], [1, -1], [1, 2], [2, -1]])


def test_images_of_several_classes_never_meet_a_negative_that_shares_one():
    sets = [set(row) - {-1} for row in SEVERAL.tolist()]
    seen = {
        tuple(row) for step in range(400) for row in TripletSampler(SEVERAL, SEVERAL >= 0, 0, 4).draw(step)
    }
    possible = {
        (a, p, n)
        for a in range(6)
        for p in range(6)
        for n in range(6)
        if a != p and sets[a] & sets[p] and not sets[a] & sets[n]
    }
    assert seen == possible


def test_a_class_that_an_image_does_not_show_makes_no_pair():
    visible = SEVERAL >= 0
    visible[2, 1] = False  # filed under class 1, but its mask has class 0 only
    rows = np.concatenate([TripletSampler(SEVERAL, visible, 0, 4).draw(step) for step in range(200)])
    assert set(rows[rows[:, 0] == 2, 1]) == {0, 1}
    assert {3, 4, 5} == set(rows[rows[:, 0] == 2, 2])


def test_an_image_that_shares_something_with_every_other_is_no_anchor():
    labels = np.array([[0, 1], [0, -1], [0, -1], [1, -1], [1, -1]])
    triplets = TripletSampler(labels, labels >= 0, 0, 4)
    assert triplets.anchors_per_epoch == 4
    assert 0 not in np.concatenate([triplets.draw(step)[:, 0] for step in range(20)])


def test_one_class_with_outliers_has_negatives():
    assert (of(np.zeros(4, int), np.array([1, 1, 1, 0], bool)).draw(0)[:, 2] == 3).all()


def test_one_class_without_outliers_is_an_error():
    with pytest.raises(UserError, match='every image shares a class'):
        of(np.zeros(4, int), np.ones(4, bool))


def test_classes_without_a_pair_are_an_error():
    with pytest.raises(UserError, match='no class has two images'):
        of(np.array([0, 0, 1, 2]), np.array([1, 0, 1, 1], bool))


def test_empty_set_is_an_error():
    with pytest.raises(UserError, match='no class has two images'):
        of(np.zeros(0, int), np.zeros(0, bool))
