import numpy as np
import pytest
from scipy import stats

from cosegnet_jax.evaluation import metrics


def test_precision_counts_right_pixels_of_object_and_background():
    truth = np.array([[[1, 1, 0, 0]]], dtype=bool)
    mask = np.array([[[1, 0, 1, 0]]], dtype=bool)
    assert metrics.precision(mask, truth) == [0.5]
    assert metrics.precision(~truth, truth) == [0.0]
    assert metrics.precision(truth, truth) == [1.0]


def test_jaccard_is_intersection_over_union():
    truth = np.array([[[1, 1, 1, 0]]], dtype=bool)
    mask = np.array([[[0, 1, 1, 1]]], dtype=bool)
    assert metrics.jaccard(mask, truth) == [0.5]


@pytest.mark.parametrize(('option', 'nothing_of_nothing'), [('one', 1.0), ('zero', 0.0), ('skip', np.nan)])
def test_option_for_empty_truths_only_decides_empty_predictions_of_them(option, nothing_of_nothing):
    empty, found = np.zeros((1, 2, 2), dtype=bool), np.eye(2, dtype=bool)[None]
    np.testing.assert_equal(metrics.jaccard(empty, empty, option), [nothing_of_nothing])
    assert metrics.jaccard(found, empty, option) == [0.0]
    assert metrics.jaccard(empty, found, option) == [0.0]


def test_mean_defined_leaves_nan_out():
    values = np.array([[1.0, np.nan, np.nan], [3.0, 4.0, np.nan]])
    assert metrics.mean_defined(values) == pytest.approx(8 / 3)
    np.testing.assert_equal(metrics.mean_defined(values, axis=0), [2.0, 4.0, np.nan])


@pytest.mark.parametrize('levels', [3, 7, 10_000], ids=['many-ties', 'some-ties', 'few-ties'])
def test_roc_auc_equals_mann_whitney(levels):
    rng = np.random.default_rng(levels)
    positive = rng.random(300) < 0.3
    scores = (rng.integers(levels, size=300) + positive * levels / 4).astype(np.float32)
    expected = stats.mannwhitneyu(scores[positive], scores[~positive]).statistic
    expected /= positive.sum() * (~positive).sum()
    assert 0.5 < expected < 1
    assert metrics.roc_auc(scores, positive) == pytest.approx(expected, abs=1e-12)


def test_roc_auc_of_equal_scores_is_a_half_and_of_one_kind_undefined():
    scores = np.full(5, 0.3, dtype=np.float32)
    assert metrics.roc_auc(scores, np.arange(5) < 2) == 0.5
    assert np.isnan(metrics.roc_auc(scores, np.ones(5, dtype=bool)))
    assert np.isnan(metrics.roc_auc(scores, np.zeros(5, dtype=bool)))
