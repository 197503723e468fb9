import numpy as np
import pytest

from cosegnet_jax.data.sampling.balanced import BalancedSampler
from cosegnet_jax.runtime.errors import UserError

# Class 0 has four images, the last an outlier; 1 and 2 have two, 3 has one and an outlier, 4 has one.
LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4])[:, None]
SHOWN = np.array([1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1], bool)[:, None]


def sampler(classes=2, images=3, seed=0):
    return BalancedSampler(LABELS, SHOWN, seed, classes, images)


def groups(step, classes=2, images=3):
    """The draws of a step, one row a class."""
    return sampler(classes, images).draw(step).reshape(classes, images)


def test_a_group_is_of_one_class_and_no_class_comes_twice():
    for step in range(100):
        labels = LABELS[groups(step, 3, 2), 0]
        assert (labels == labels[:, :1]).all()
        assert len(set(labels[:, 0])) == 3


def test_classes_and_images_are_drawn_evenly():
    drawn = np.stack([groups(step) for step in range(3000)])
    classes = np.bincount(LABELS[drawn[:, :, 0], 0].ravel())
    np.testing.assert_allclose(classes / classes.sum(), 1 / 3, atol=0.02)
    of_first = np.bincount(drawn[LABELS[drawn, 0] == 0], minlength=4)[:3]
    np.testing.assert_allclose(of_first / of_first.sum(), 1 / 3, atol=0.02)


def test_every_group_has_a_pair_and_outliers_come_too():
    drawn = np.concatenate([groups(step) for step in range(300)])
    assert (SHOWN[drawn, 0].sum(1) >= 2).all()
    assert (drawn == 3).any()


def test_a_class_with_few_images_repeats_them():
    drawn = groups(0, 3, 5)
    of_two = drawn[LABELS[drawn[:, 0], 0] == 1][0]
    assert sorted(np.bincount(of_two)[4:]) == [2, 3]


def test_an_image_of_two_classes_is_drawn_for_both():
    labels = np.array([[0, 1], [0, -1], [1, -1], [2, -1], [2, -1]])
    several = BalancedSampler(labels, labels >= 0, 0, 2, 2)
    drawn = np.concatenate([several.draw(step).reshape(2, 2) for step in range(200)])
    assert {tuple(sorted(group)) for group in drawn.tolist()} == {(0, 1), (0, 2), (3, 4)}


def test_draw_is_a_function_of_seed_and_step():
    np.testing.assert_array_equal(sampler().draw(7), sampler().draw(7))
    assert any((sampler().draw(step) != sampler(seed=1).draw(step)).any() for step in range(5))
    assert any((sampler().draw(step) != sampler().draw(step + 1)).any() for step in range(5))


def test_too_few_classes_with_a_pair_are_an_error():
    with pytest.raises(UserError, match=r'batch_classes=4: 3 classes have two images'):
        sampler(classes=4)
