"""Scores as functions of counts: of pixels for masks, of pairs for decisions (paper §4)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Float64, Int

EmptyTruth = Literal['one', 'zero', 'skip']

JACCARD_OF_NOTHING = {'one': 1.0, 'zero': 0.0, 'skip': np.nan}


def precision(
    pixels: int,
    predicted: Int[np.ndarray, '*shape'],
    true: Int[np.ndarray, '*shape'],
    hits: Int[np.ndarray, '*shape'],
) -> Float64[np.ndarray, '*shape']:
    """Measure each mask's pixel accuracy: the share of all pixels, object and background, that are right.

    The co-segmentation literature calls this "Precision (P)", "the percentage of correctly segmented pixels
    of both the foreground and the background" (paper §4). It is not true positives over predicted positives.

    Args:
        pixels: of the image.
        predicted: those in the mask.
        true: those of the true object.
        hits: those in both.

    Returns:
        One value in [0, 1] per mask.
    """
    return right_pixels(pixels, predicted, true, hits) / pixels


def right_pixels(
    pixels: int,
    predicted: Int[np.ndarray, '*shape'],
    true: Int[np.ndarray, '*shape'],
    hits: Int[np.ndarray, '*shape'],
) -> Int[np.ndarray, '*shape']:
    """Count the pixels, of object and background, that a mask has right; arguments as for `precision`."""
    return pixels - predicted - true + 2 * hits


def jaccard(
    predicted: Int[np.ndarray, '*shape'],
    true: Int[np.ndarray, '*shape'],
    hits: Int[np.ndarray, '*shape'],
    empty_truth: EmptyTruth = 'one',
) -> Float64[np.ndarray, '*shape']:
    """Measure the intersection over union of each mask with its truth (paper §4, "Jaccard Index (J)").

    Args:
        predicted: pixels in the mask.
        true: pixels of the true object.
        hits: pixels in both.
        empty_truth: score of an empty prediction of an empty truth, where the ratio is 0/0: `one`, `zero`,
            or `skip` for NaN, which `mean_defined` leaves out. A mask that is not empty in an image without
            an object always scores 0.

    Returns:
        One value in [0, 1], or NaN, per mask.
    """
    union = predicted + true - hits
    return np.where(union == 0, JACCARD_OF_NOTHING[empty_truth], hits / np.maximum(union, 1))


def mean_defined(values: Float64[np.ndarray, 'n *shape']) -> Float64[np.ndarray, '*shape']:
    """Average the values that are not NaN along the first axis; NaN where there is none."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=0), defined.sum(axis=0))


def ratio(
    total: Float[np.ndarray, '*shape'] | Int[np.ndarray, '*shape'],
    count: Float[np.ndarray, '*shape'] | Int[np.ndarray, '*shape'],
) -> Float64[np.ndarray, '*shape']:
    """Divide a sum by its count; NaN, without a warning, where the count is 0."""
    return np.where(count == 0, np.nan, total / np.where(count == 0, 1, count))


def rate(total: float | int, count: float | int) -> float:
    """Divide one sum by its count; NaN where the count is 0."""
    return total / count if count else float('nan')


def roc_auc(positives: Int[np.ndarray, ' bins'], negatives: Int[np.ndarray, ' bins']) -> tuple[float, float]:
    """Measure the area under the ROC curve: the chance that a positive outscores a negative, ties half.

    Args:
        positives: how many positives score in each bin, from the lowest scores to the highest.
        negatives: the same of negatives.

    Returns:
        A value in [0, 1], and a bound of its error: two scores in one bin count as a tie. NaN when one of
        the two kinds is missing.
    """
    pairs = float(positives.sum()) * float(negatives.sum())
    below = np.cumsum(negatives) - negatives
    wins, ties = (float(np.dot(positives.astype(float), other)) for other in (below, negatives))
    return rate(wins + ties / 2, pairs), rate(ties / 2, pairs)


def average_precision(
    positives: Int[np.ndarray, ' bins'], negatives: Int[np.ndarray, ' bins']
) -> tuple[float, float]:
    """Measure the area under the precision-recall curve as a sum of steps, without interpolation.

    It sums (Rₙ - Rₙ₋₁) Pₙ over thresholds from the highest score to the lowest: of the scores that reach
    threshold n, Pₙ is the share of positives, and Rₙ is their share of all positives. Arguments as for
    `roc_auc`; scores in one bin share a threshold.

    Returns:
        A value in [0, 1], and a bound of its error, since the order within a bin is unknown: at best all
        positives of a bin come first, and at worst all negatives. NaN when there is no positive.
    """
    steps, wrong = positives[::-1], negatives[::-1]
    found, reached = np.cumsum(steps), np.cumsum(steps + wrong)
    above, above_all = found - steps, reached - steps - wrong  # of the bins before

    def mean(precision: Float64[np.ndarray, ' bins']) -> float:
        return rate(float(np.sum(steps * precision)), int(positives.sum()))

    value = mean(found / np.maximum(reached, 1))
    best = mean(found / np.maximum(above_all + steps, 1))
    worst = mean((above + 1) / (above_all + wrong + 1))
    return value, max(best - value, value - worst)


def calibration_error(
    positives: Int[np.ndarray, ' bins'],
    negatives: Int[np.ndarray, ' bins'],
    probability: Float64[np.ndarray, ' bins'],
) -> float:
    """Measure the expected calibration error: how far probabilities are from the shares they stand for.

    It averages the absolute difference of mean probability and share of positives over the bins, each
    weighted by its number of members (Guo et al. 2017, equation 5).

    Args:
        positives: how many there are in each bin of the probability.
        negatives: the same of negatives.
        probability: sum of the probabilities of both.

    Returns:
        A value in [0, 1]; NaN when the bins are empty.
    """
    return rate(float(np.abs(probability - positives).sum()), int((positives + negatives).sum()))
