import numpy as np
import pytest

from cosegnet_jax.evaluation import decisions, metrics
from cosegnet_jax.evaluation.pairs import Pairs

THRESHOLD = 0.5


def tallied(probability, positive):
    """The tally of pairs of which all have a mask and a class in common."""
    indices = np.arange(len(probability))
    together = np.ones(len(probability), bool)
    return decisions.tally(Pairs(indices, indices, probability), positive, together, ~together, THRESHOLD)


@pytest.fixture
def random_pairs():
    """Many probabilities, nearly all of them different, of a network that is too sure of itself."""
    rng = np.random.default_rng(0)
    positive = rng.random(20_000) < 0.2
    logits = 3 * (rng.normal(size=20_000) + 1.5 * positive)
    return (1 / (1 + np.exp(-logits))).astype(np.float32), positive


def test_ranking_figures_are_exact_up_to_the_stated_error(random_pairs):
    probability, positive = random_pairs
    found = decisions.scores(tallied(*random_pairs), THRESHOLD)
    levels, rank = np.unique(probability, return_inverse=True)
    exact = [np.bincount(rank[kind], minlength=len(levels)) for kind in (positive, ~positive)]
    auc, ties = metrics.roc_auc(*exact)
    assert ties < found.auc_error < 1e-4
    assert 0 < abs(found.auc - auc) <= found.auc_error
    assert found.average_precision == pytest.approx(metrics.average_precision(*exact)[0], abs=2e-4)


@pytest.mark.parametrize('scale', [1.0, 25.0])
def test_stated_errors_hold_for_scores_that_saturate(scale):
    """Logits of scale 25: float32 takes half of the probabilities for 0 or 1."""
    rng = np.random.default_rng(1)
    positive = rng.random(3000) < 0.2
    logits = scale * (rng.normal(size=3000) + 1.5 * positive)
    probability = (1 / (1 + np.exp(-logits))).astype(np.float32)
    found = decisions.scores(tallied(probability, positive), THRESHOLD)
    exact = [
        np.bincount(np.argsort(np.argsort(logits))[kind], minlength=3000) for kind in (positive, ~positive)
    ]
    (auc, _), (precision, _) = metrics.roc_auc(*exact), metrics.average_precision(*exact)
    assert abs(found.auc - auc) <= found.auc_error
    assert abs(found.average_precision - precision) <= found.average_precision_error
    if scale > 1:
        assert abs(found.auc - auc) > 1e-4  # so that the bound is asked for


def test_probabilities_in_one_bin_differ_by_as_much_as_stated():
    grid = np.linspace(0, 1, 1_000_001, dtype=np.float32)
    bins = decisions._log_odds(grid)
    assert (np.diff(bins) >= 0).all()
    first, last = np.searchsorted(bins, bins, 'left'), np.searchsorted(bins, bins, 'right') - 1
    assert (grid[last] - grid[first]).max() <= 0.00006103516


def test_certainty_has_a_bin():
    found = decisions.scores(
        tallied(np.float32([0, 0, 1, 1]), np.array([False, False, True, True])), THRESHOLD
    )
    assert found.auc == found.average_precision == 1
    assert found.calibration_error == found.auc_error == 0


def test_tallies_add_up(random_pairs):
    whole = tallied(*random_pairs)
    parts = [
        tallied(*(array[rows] for array in random_pairs)) for rows in (slice(0, 7000), slice(7000, None))
    ]
    added = decisions.Tally.zero() + parts[0] + parts[1]
    for name, value in vars(whole).items():
        np.testing.assert_allclose(getattr(added, name), value, rtol=1e-12)
    assert whole.probability.sum() == whole.odds.sum() == 20_000
