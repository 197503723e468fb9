"""Scores of the edges of masks."""

import edges
import numpy as np
import pytest


def square(shift=0, side=200):
    mask = np.zeros((side, side), bool)
    mask[50 : side - 50, 50 + shift : side - 50 + shift] = True
    return mask


def test_a_perfect_mask_scores_one():
    assert edges.score(square(), square()) == (1, 1)
    assert edges.score(square() & False, square() & False) == (1, 1)


def test_an_empty_mask_scores_zero():
    assert edges.score(square() & False, square()) == (0, 0)


def test_a_boundary_near_the_true_one_counts_as_found():
    near = int(edges.NEAR * np.hypot(200, 200)) + 1  # 3 pixels
    assert edges.boundary_f(square(near), square()) == 1
    # Beyond, only the two sides along which the square was moved are near.
    assert edges.boundary_f(square(3 * near), square()) == pytest.approx(0.5, abs=0.05)
