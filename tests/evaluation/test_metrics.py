import numpy as np
import pytest
from scipy import stats
from scoring_by_hand import average_precision_by_hand, calibration_error_by_hand

from cosegnet_jax.evaluation import metrics


def numbers(*values):
    return tuple(np.array([value]) for value in values)


def test_precision_counts_right_pixels_of_object_and_background():
    assert metrics.precision(4, *numbers(2, 2, 1)) == [0.5]
    assert metrics.precision(4, *numbers(2, 2, 0)) == [0.0]
    assert metrics.precision(4, *numbers(2, 2, 2)) == [1.0]


def test_jaccard_is_intersection_over_union():
    assert metrics.jaccard(*numbers(3, 3, 2)) == [0.5]


@pytest.mark.parametrize(('option', 'nothing_of_nothing'), [('one', 1.0), ('zero', 0.0), ('skip', np.nan)])
def test_option_for_empty_truths_only_decides_empty_predictions_of_them(option, nothing_of_nothing):
    np.testing.assert_equal(metrics.jaccard(*numbers(0, 0, 0), option), [nothing_of_nothing])
    assert metrics.jaccard(*numbers(2, 0, 0), option) == [0.0]
    assert metrics.jaccard(*numbers(0, 2, 0), option) == [0.0]


def test_mean_defined_leaves_nan_out():
    values = np.array([[1.0, np.nan, np.nan], [3.0, 4.0, np.nan]])
    np.testing.assert_equal(metrics.mean_defined(values), [2.0, 4.0, np.nan])


@pytest.fixture(params=[3, 7, 10_000], ids=['many-ties', 'some-ties', 'few-ties'])
def levels(request):
    """Scores of 300, in so many levels, and which of them are positive."""
    rng = np.random.default_rng(request.param)
    positive = rng.random(300) < 0.3
    return (rng.integers(request.param, size=300) * (1 + positive)).astype(int), positive


def histograms(scores, positive):
    return [np.bincount(scores[kind], minlength=scores.max() + 1) for kind in (positive, ~positive)]


def test_roc_auc_equals_mann_whitney_and_says_how_much_hangs_on_ties(levels):
    scores, positive = levels
    mine, others = scores[positive], scores[~positive]
    expected = stats.mannwhitneyu(mine, others).statistic / (len(mine) * len(others))
    assert 0.5 < expected < 1
    auc, error = metrics.roc_auc(*histograms(scores, positive))
    assert auc == pytest.approx(expected, abs=1e-12)
    assert error == pytest.approx(np.mean(mine[:, None] == others) / 2)


def test_average_precision_equals_its_definition(levels):
    scores, positive = levels
    expected = average_precision_by_hand({True: scores[positive], False: scores[~positive]})
    assert 0.3 < expected < 1
    value, error = metrics.average_precision(*histograms(scores, positive))
    assert value == pytest.approx(expected, abs=1e-12)
    assert error >= 0


def test_ranking_of_equal_scores_and_of_one_kind():
    some, none = np.array([0, 3, 0]), np.array([0, 0, 0])
    assert metrics.roc_auc(some, some) == (0.5, 0.5)
    assert np.isnan(metrics.roc_auc(some, none)).all()
    assert np.isnan(metrics.roc_auc(none, some)).all()
    assert metrics.average_precision(some, none)[0] == 1
    assert np.isnan(metrics.average_precision(none, some)[0])


def test_calibration_error_weighs_bins_by_their_members():
    """Ten at 0.2, of which three are positive, and thirty at 0.9, of which 21 are."""
    error = metrics.calibration_error(np.array([3, 21]), np.array([7, 9]), np.array([2.0, 27.0]))
    assert error == pytest.approx((10 * 0.1 + 30 * 0.2) / 40)
    kinds = {True: [0.2] * 3 + [0.9] * 21, False: [0.2] * 7 + [0.9] * 9}
    assert error == pytest.approx(calibration_error_by_hand(kinds))
