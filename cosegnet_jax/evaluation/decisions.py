"""Scores of decisions: how well probabilities tell pairs that share an object from pairs that do not."""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from cosegnet_jax.evaluation import metrics
from cosegnet_jax.evaluation.pairs import Pairs

SHARES = 20  # bins of equal width of the probability: of calibration, and of the chart
# Ranking scores come from a histogram of log-odds. Its bins are fine near 0 and 1, where trained networks
# decide. Two probabilities in one bin differ by at most 1 / (4 · PER_UNIT) = 0.00006.
LARGEST, PER_UNIT = 17, 4096  # float32 tells no log-odds beyond ±16.7 from those of 0 and 1
_BINS = 2 * LARGEST * PER_UNIT
NEGATIVE, POSITIVE = 0, 1  # rows of the counts


@dataclasses.dataclass(frozen=True)
class DecisionScores:
    """Scores over the decided pairs, inside classes and across; a decision network decides all pairs.

    Rates are in [0, 1]; NaN where there is no such pair. A pair is positive if its images share an object,
    and open if its probability reaches the threshold. `auc` and `average_precision` treat probabilities as
    equal if their log-odds are in the same bin of width 1/4096; float32 rounds all beyond ±16.7 to 0 or 1.
    Their errors bound the effect of the order within a bin, saturated scores included.
    """

    threshold: float
    positive_pairs: int
    negative_pairs: int
    outlier_pairs: int  # negative ones inside a class: one of the two does not show what it is filed under
    accuracy: float  # over all pairs alike, so mostly over negative ones
    balanced_accuracy: float  # the mean of the next two
    true_positive_rate: float
    true_negative_rate: float
    null_mask_rate: float  # negative pairs that get two empty masks, by the gate or by the masks themselves
    null_mask_rate_outliers: float  # the same of outlier pairs alone
    auc: float
    auc_error: float  # how far `auc` can be from that of the scores before any rounding
    average_precision: float
    average_precision_error: float  # the same of `average_precision`
    calibration_error: float  # expected calibration error over 20 bins of equal width, `metrics`
    mean_probability: float  # of all pairs; calibrated decisions have the share of positive pairs here:
    positive_rate: float
    mean_probability_open: float  # of open pairs; and the share of positive pairs among them:
    positive_rate_open: float


@dataclasses.dataclass(frozen=True, eq=False)
class Tally:
    """Counts of pairs, negative ones in row 0 and positive ones in row 1; tallies can be added."""

    odds: Int[np.ndarray, '2 bins']  # pairs by log-odds
    probability: Int[np.ndarray, '2 shares']  # pairs by probability
    mass: Float64[np.ndarray, ' shares']  # sum of the probabilities in each bin of `probability`
    open: Int[np.ndarray, ' 2']
    open_mass: float  # sum of the probabilities of open pairs
    null: int  # negative pairs that get two empty masks
    outliers: int  # negative pairs inside a class
    null_outliers: int

    @classmethod
    def zero(cls) -> Tally:
        """Start with no pairs."""
        odds, probability = np.zeros((2, _BINS), np.int64), np.zeros((2, SHARES), np.int64)
        return cls(odds, probability, np.zeros(SHARES), np.zeros(2, np.int64), 0.0, 0, 0, 0)

    def __add__(self, other: Tally) -> Tally:
        names = (field.name for field in dataclasses.fields(self))
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in names})


def tally(
    pairs: Pairs,
    positive: Bool[np.ndarray, ' p'],
    filed_together: Bool[np.ndarray, ' p'],
    is_empty: Bool[np.ndarray, ' p'],
    threshold: float,
) -> Tally:
    """Count pairs.

    Args:
        pairs: the pairs.
        positive: whether they share an object.
        filed_together: whether they are filed under a common class.
        is_empty: whether both masks are empty whatever the gate.
        threshold: probability from which the gate is open.
    """
    is_open = pairs.probability >= threshold
    exact = pairs.probability.astype(np.float64)
    share = np.minimum((exact * SHARES).astype(np.int64), SHARES - 1)
    null = ~positive & (~is_open | is_empty)
    outlier = ~positive & filed_together
    return Tally(
        odds=_by_kind(positive, _log_odds(pairs.probability), _BINS),
        probability=_by_kind(positive, share, SHARES),
        mass=np.bincount(share, exact, SHARES),
        open=np.bincount(positive[is_open], minlength=2),
        open_mass=float(exact[is_open].sum()),
        null=int(null.sum()),
        outliers=int(outlier.sum()),
        null_outliers=int((null & outlier).sum()),
    )


def scores(counted: Tally, threshold: float) -> DecisionScores:
    """Compute the scores of a tally that was made with this threshold."""
    negatives, positives = (int(count) for count in counted.probability.sum(axis=1))
    wrong, found = (int(count) for count in counted.open)
    pairs, mass = negatives + positives, float(counted.mass.sum())
    true_positive_rate = metrics.rate(found, positives)
    true_negative_rate = metrics.rate(negatives - wrong, negatives)
    auc, auc_error = metrics.roc_auc(counted.odds[POSITIVE], counted.odds[NEGATIVE])
    precision, precision_error = metrics.average_precision(counted.odds[POSITIVE], counted.odds[NEGATIVE])
    return DecisionScores(
        threshold=threshold,
        positive_pairs=positives,
        negative_pairs=negatives,
        outlier_pairs=counted.outliers,
        accuracy=metrics.rate(found + negatives - wrong, pairs),
        balanced_accuracy=(true_positive_rate + true_negative_rate) / 2,
        true_positive_rate=true_positive_rate,
        true_negative_rate=true_negative_rate,
        null_mask_rate=metrics.rate(counted.null, negatives),
        null_mask_rate_outliers=metrics.rate(counted.null_outliers, counted.outliers),
        auc=auc,
        auc_error=auc_error,
        average_precision=precision,
        average_precision_error=precision_error,
        calibration_error=metrics.calibration_error(
            counted.probability[POSITIVE], counted.probability[NEGATIVE], counted.mass
        ),
        mean_probability=metrics.rate(mass, pairs),
        positive_rate=metrics.rate(positives, pairs),
        mean_probability_open=metrics.rate(counted.open_mass, found + wrong),
        positive_rate_open=metrics.rate(found, found + wrong),
    )


def _log_odds(probability: Float[np.ndarray, ' p']) -> Int[np.ndarray, ' p']:
    """Find the bins of log-odds, from surely negative to surely positive."""
    inside = np.clip(probability, 2.0**-24, 1 - 2.0**-24)  # 0 and 1 have no log-odds
    return ((np.log(inside) - np.log1p(-inside) + LARGEST) * PER_UNIT).astype(np.int64)


def _by_kind(
    positive: Bool[np.ndarray, ' p'], bins: Int[np.ndarray, ' p'], count: int
) -> Int[np.ndarray, '2 count']:
    """Make histograms with `count` bins of negative and of positive pairs."""
    return np.bincount(positive * count + bins, minlength=2 * count).reshape(2, count)
