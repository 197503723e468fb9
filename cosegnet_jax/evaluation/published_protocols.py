"""The protocols under which co-segmentation scores are published. Scores differ between them.

A preset has three functions: which pixels of a probability map are the object, which images of a class form
pairs, and what a pair adds to the scores of its class. The score of a class is the ratio of two sums over its
pairs, and the score of the set is the mean over classes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from cosegnet_jax.evaluation import metrics
from cosegnet_jax.evaluation.metrics import EmptyTruth
from cosegnet_jax.evaluation.pairs import PairCounts

SCORES = ('precision', 'jaccard', 'precision_ungated', 'jaccard_ungated')
NO_SET = -1
GROUP = 5  # images

# What pairs add to the sums above and below the line of each of SCORES.
Terms = tuple[Float64[np.ndarray, 'figures p'], Float64[np.ndarray, 'figures p']]


def fixed_threshold(probability: Float[np.ndarray, 'n h w'], threshold: float) -> Bool[np.ndarray, 'n h w']:
    """Mark the pixels with a probability of at least `threshold`."""
    return probability >= threshold


def threshold_of_map(probability: Float[np.ndarray, 'n h w'], threshold: float) -> Bool[np.ndarray, 'n h w']:
    """Mark the pixels above min(mean + standard deviation, 0.8) of their probability map.

    A map that is zero everywhere has no object.
    """
    del threshold  # every map has its own
    mean, std = (f(probability, axis=(1, 2), keepdims=True, dtype=np.float64) for f in (np.mean, np.std))
    return probability > np.minimum(mean + std, 0.8)


def whole_class(filed: Bool[np.ndarray, 'n classes']) -> Int[np.ndarray, 'n classes']:
    """Put all images of a class into one set.

    Args:
        filed: which images are filed under which class.

    Returns:
        Numbers of sets within each class, NO_SET for images outside it.
    """
    return np.where(filed, 0, NO_SET)


def groups_of_five(filed: Bool[np.ndarray, 'n classes']) -> Int[np.ndarray, 'n classes']:
    """Divide the images of a class, in their order, into m // 5 sets of five or a few more, and at least one.

    Arguments and result as for `whole_class`; m is the number of images of the class.
    """
    size = filed.sum(axis=0)
    rank = np.cumsum(filed, axis=0) - 1
    return np.where(filed, rank * np.maximum(size // GROUP, 1) // np.maximum(size, 1), NO_SET)


def mean_of_pairs(counts: PairCounts, empty_truth: EmptyTruth) -> Terms:
    """Add the mean over the two images of a pair, with weight one; nothing where it is not defined."""
    values = []
    for of in (counts.gated(), counts):
        jaccard = metrics.jaccard(of.predicted, of.true, of.hits, empty_truth)
        values.append(metrics.precision(of.pixels, of.predicted, of.true, of.hits).mean(axis=0))
        values.append(metrics.mean_defined(jaccard))
    values = np.stack(values)
    defined = ~np.isnan(values)
    return np.where(defined, values, 0.0), defined.astype(float)


def summed_pixels(counts: PairCounts, empty_truth: EmptyTruth) -> Terms:
    """Add the pixels of a pair: for P, right ones and all; for J, those of intersections and of unions.

    So large objects weigh more than small ones, and an empty mask on an empty truth adds nothing to J.
    """
    del empty_truth  # a sum of pixels is 0 only where a whole class is empty

    above, below = [], []
    for of in (counts.gated(), counts):
        right = metrics.right_pixels(of.pixels, of.predicted, of.true, of.hits)
        above += [right, of.hits]
        below += [np.full_like(right, of.pixels), of.predicted + of.true - of.hits]
    return tuple(np.stack(side).sum(axis=1, dtype=float) for side in (above, below))


@dataclasses.dataclass(frozen=True)
class Preset:
    """A protocol, in functions and in words."""

    masks: Callable[[Float[np.ndarray, 'n h w'], float], Bool[np.ndarray, 'n h w']]
    sets: Callable[[Bool[np.ndarray, 'n classes']], Int[np.ndarray, 'n classes']]
    terms: Callable[[PairCounts, EmptyTruth], Terms]
    words: dict[str, str]  # what `results.json` says of masks, pairs and averages
    unread: tuple[str, ...] = ()  # choices of `Protocol` that make no difference


_ALL_PAIRS = 'all unordered pairs inside each class, each the mean of its two images'
_MEAN = 'mean over classes of the mean over pairs of the class'  # as "Mean" in the paper's Table 2
_FIXED = 'object from mask_threshold on'

PRESETS = {
    # Paper §4: "co-segmentation on all such pairs", then "the average ... over all such pairs".
    'cosegnet': Preset(
        masks=fixed_threshold,
        sets=whole_class,
        terms=mean_of_pairs,
        words={'masks': _FIXED, 'pairs': _ALL_PAIRS, 'average': _MEAN},
    ),
    # Li, Hosseini Jafari and Rother, Deep Object Co-Segmentation, ACCV 2018.
    'docs': Preset(
        masks=fixed_threshold,
        sets=whole_class,
        terms=summed_pixels,
        words={
            'masks': _FIXED,
            'pairs': 'all unordered pairs inside each class',
            'average': 'mean over classes of pixels summed over the pairs of the class before the ratio: '
            'right over all, intersection over union',
        },
        unread=('empty_truth',),
    ),
    # Zhang, Chen, Liu and Huang, Deep Object Co-Segmentation via Spatial-Semantic Network Modulation,
    # AAAI 2020.
    'ssnm': Preset(
        masks=threshold_of_map,
        sets=groups_of_five,
        terms=mean_of_pairs,
        words={
            'masks': 'object above min(mean + standard deviation, 0.8) of the probability map',
            'pairs': 'all unordered pairs inside groups of five (or a few more) images of a class, in the '
            'order of the set, each the mean of its two images',
            'average': _MEAN,
        },
        unread=('mask_threshold',),
    ),
}
