import large_collections
import numpy as np
import pytest

from cosegnet_jax.inference.groups.grouping import Groups


def test_recall_counts_the_true_neighbors_that_are_paired():
    line = np.zeros((5, 64), np.float32)
    line[:, 0] = [0, 1, 3, 6, 10]  # the nearest of each is the one before it, and of the first the second
    every = np.array([(0, 1), (1, 2), (2, 3), (3, 4)])
    assert large_collections.recall(line, every, 1) == 1
    assert large_collections.recall(line, every[1:], 1) == pytest.approx(3 / 5)  # two photos have lost theirs


def test_agreement_counts_pairs():
    whole = Groups([[0, 1, 2, 3], [4, 5]], [6])
    assert large_collections.agreement(whole, whole) == 1
    assert large_collections.agreement(whole, Groups([[0, 1], [2, 3], [4, 5]], [6])) == pytest.approx(3 / 7)
    assert large_collections.agreement(whole, Groups([[4, 6]], [0, 1, 2, 3, 5])) == 0
    assert large_collections.agreement(Groups([], [0, 1]), Groups([], [0, 1])) == 0
