"""Figures of merit as functions of arrays: per image for masks, over pairs for decisions (paper §4)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64

JACCARD_OF_NOTHING = {'one': 1.0, 'zero': 0.0, 'skip': np.nan}


def precision(
    masks: Bool[np.ndarray, 'n height width'], truth: Bool[np.ndarray, 'n height width']
) -> Float64[np.ndarray, ' n']:
    """Measure each mask's pixel accuracy: the share of all pixels, object and background, that are right.

    The co-segmentation literature calls this "Precision (P)", "the percentage of correctly segmented pixels
    of both the foreground and the background" (paper §4). It is not true positives over predicted positives.

    Returns:
        One value in [0, 1] per image.
    """
    return np.mean(masks == truth, axis=(1, 2), dtype=np.float64)


def jaccard(
    masks: Bool[np.ndarray, 'n height width'],
    truth: Bool[np.ndarray, 'n height width'],
    empty_truth: Literal['one', 'zero', 'skip'] = 'one',
) -> Float64[np.ndarray, ' n']:
    """Measure the intersection over union of each mask with its truth (paper §4, "Jaccard Index (J)").

    Args:
        masks: predicted object pixels.
        truth: true object pixels.
        empty_truth: what an empty prediction of an empty truth is worth, where the ratio is 0/0: `one`,
            `zero`, or `skip` for NaN, which `mean_defined` leaves out. A prediction that finds something in
            an image without an object is worth 0 under all three.

    Returns:
        One value in [0, 1], or NaN, per image.
    """
    intersection = np.count_nonzero(masks & truth, axis=(1, 2))
    union = np.count_nonzero(masks | truth, axis=(1, 2))
    return np.where(union == 0, JACCARD_OF_NOTHING[empty_truth], intersection / np.maximum(union, 1))


def mean_defined(
    values: Float64[np.ndarray, '*shape'], axis: int | None = None
) -> Float64[np.ndarray, '*reduced']:
    """Average the values that are not NaN along `axis`; NaN, without a warning, where there is none."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=axis)
    total = np.where(defined, values, 0.0).sum(axis=axis)
    return np.where(count == 0, np.nan, total / np.maximum(count, 1))


def rate(events: Bool[np.ndarray, ' n']) -> float:
    """Return the share of `events` that are true; NaN when there are none."""
    return float(events.mean()) if len(events) else float('nan')


def roc_auc(scores: Float[np.ndarray, ' n'], positive: Bool[np.ndarray, ' n']) -> float:
    """Measure the area under the ROC curve: the chance that a positive outscores a negative, ties half.

    Computed from the rank sum of the positives (Mann-Whitney U), tied scores sharing their mean rank.

    Returns:
        A value in [0, 1]; NaN when one of the two kinds is missing.
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if positives == 0 or negatives == 0:
        return float('nan')
    _, group, size = np.unique(scores, return_inverse=True, return_counts=True)
    last_rank = np.cumsum(size)
    mean_rank = last_rank - (size - 1) / 2
    rank_sum = mean_rank[group][positive].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))
