import numpy as np
import pytest

from cosegnet_jax.inference.groups.grouping import group


def table(count, pairs, other=0.1):
    """Probabilities of `count` photos: those given, and `other` for the rest."""
    probabilities = np.full((count, count), other, np.float32)
    for (first, second), value in pairs.items():
        probabilities[first, second] = probabilities[second, first] = value
    np.fill_diagonal(probabilities, 1)
    return probabilities


def test_photos_that_share_an_object_are_together_and_the_rest_are_outliers():
    probabilities = table(6, {(1, 4): 0.9, (0, 2): 0.8, (0, 5): 0.7, (2, 5): 0.6})
    assert group(probabilities, 0.5) == ([[0, 2, 5], [1, 4]], [3])
    assert group(probabilities, 0.75) == ([[0, 2], [1, 4]], [3, 5])
    assert group(probabilities, 0.95) == ([], [0, 1, 2, 3, 4, 5])
    assert group(probabilities, 0.0) == ([[0, 1, 2, 3, 4, 5]], [])


def test_one_bridge_between_two_groups_does_not_join_them_and_one_missed_pair_does_not_split_one():
    bridge = table(4, {(0, 1): 0.9, (2, 3): 0.9, (1, 2): 0.9})
    assert group(bridge, 0.5).groups == [[0, 1], [2, 3]]
    missed = table(4, {(0, 2): 0.4}, other=0.8)
    assert group(missed, 0.5).groups == [[0, 1, 2, 3]]


@pytest.mark.parametrize(('threshold', 'together'), [(0.5, True), (0.51, False)])
def test_a_mean_at_the_threshold_is_enough(threshold, together):
    probabilities = table(3, {(0, 1): 0.75, (0, 2): 0.25, (1, 2): 0.75})  # 2 joins 0 and 1 at 0.5 exactly
    assert (group(probabilities, threshold).outliers == []) == together


def test_equal_groups_are_in_the_order_of_their_first_photos():
    assert group(table(4, {(1, 2): 0.9, (0, 3): 0.8}), 0.5).groups == [[0, 3], [1, 2]]
