"""Predictions of networks whose masks depend on the pair: the network runs on every pair that is scored.

Such a network has no decision network. The probability that a pair shares an object is the highest
probability of a pixel in its two masks. So where pixels and pairs have the same threshold, a pair shares
nothing if both masks are empty.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float32, Int

from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation.counts import Counts, concatenate, count
from cosegnet_jax.evaluation.pairs import Classes, PairCounts, Pairs, pair_counts
from cosegnet_jax.evaluation.predictions import PairMasks
from cosegnet_jax.evaluation.published_protocols import PRESETS
from cosegnet_jax.networks.pair_network import PairNetwork


@dataclasses.dataclass(frozen=True, eq=False)
class PerPair:
    """`predictions.Predictions` from the counts and the probability of each pair."""

    images: int
    pairs: Pairs  # in rising order
    sides: tuple[Counts, Counts]  # of the masks of the first images of `pairs`, and of the second ones

    decided_by: ClassVar[str] = (
        'the highest probability of a pixel in the two masks, on all pairs inside classes '
        'and as many others drawn at random'
    )
    embedding: None = None

    def blocks(self) -> Iterator[Pairs]:
        """Give all pairs at once."""
        yield self.pairs

    def among(self, images: Int[np.ndarray, ' m']) -> Pairs:
        """Select the pairs whose images are both among `images`."""
        return self.pairs[np.isin(self.pairs.first, images) & np.isin(self.pairs.second, images)]

    def counts(self, some: Pairs, truth: Classes, is_open: Bool[np.ndarray, ' p']) -> PairCounts:
        """Select the counts of these pairs."""
        rows = self._rows(some)
        return pair_counts(some, (self.sides[0][rows], self.sides[1][rows]), truth, is_open)

    def is_empty(self, some: Pairs) -> Bool[np.ndarray, ' p']:
        """Tell whether both masks are empty before the gate."""
        rows = self._rows(some)
        return np.all([side.predicted[rows] == 0 for side in self.sides], axis=0)

    def _rows(self, some: Pairs) -> Int[np.ndarray, ' p']:
        known, asked = (of.first * self.images + of.second for of in (self.pairs, some))
        return np.searchsorted(known, asked)


def predict(config: Config, network: PairNetwork, examples: Examples) -> PerPair:
    """Describe every image once, make the masks of `pairs_to_score`, and count their pixels."""
    chosen = pairs_to_score(Classes.filed(examples), config.seed)
    probability, objects = np.empty(len(chosen), np.float32), examples.labels.shape[1]
    nothing = np.zeros((0, *examples.masks.shape[1:]), np.uint8)
    counted = tuple([count(nothing > 0, nothing, objects)] for _ in (0, 1))
    for rows, masks, highest in _segment(config, network, examples, chosen):
        probability[rows] = highest
        for side, parts in enumerate(counted):
            truth = np.asarray(examples.masks[chosen[rows, side]])
            parts.append(count(masks[:, side], truth, objects))
    first, second = map(concatenate, counted)
    return PerPair(len(examples), Pairs(chosen[:, 0], chosen[:, 1], probability), (first, second))


def segment_pairs(
    config: Config, network: PairNetwork, examples: Examples, chosen: Int[np.ndarray, 'p 2']
) -> PairMasks:
    """Make masks and decisions of a few pairs, all in memory."""
    images, place = np.unique(chosen, return_inverse=True)
    few, places = examples.subset(images), place.reshape(chosen.shape)
    _, masks, highest = zip(*_segment(config, network, few, places), strict=True)
    return PairMasks(np.concatenate(masks), np.concatenate(highest))


def pairs_to_score(filed: Classes, seed: int) -> Int[np.ndarray, 'p 2']:
    """List all pairs that are filed under a common class, and as many others drawn at random; sorted.

    It takes some 30 bytes for every pair of images.
    """
    table = filed.table.astype(np.float32)
    together = np.triu(table @ table.T > 0, 1)
    others = np.argwhere(np.triu(~together, 1))
    drawn = np.random.default_rng(seed).permutation(len(others))[: together.sum()]
    chosen = np.concatenate([np.argwhere(together), others[drawn]])
    return chosen[np.lexsort(chosen.T[::-1])]


def _segment(
    config: Config, network: PairNetwork, examples: Examples, chosen: Int[np.ndarray, 'p 2']
) -> Iterator[tuple[slice, Bool[np.ndarray, 'b 2 h w'], Float32[np.ndarray, ' b']]]:
    """Make rows of pairs, their thresholded masks and their highest probability, batch by batch."""
    settings = config.evaluation
    described = network.describe(examples.photos(settings.batch_images), settings.batch_images)
    start = 0
    for probability in network.pair_masks(described, chosen, settings.batch_images):
        rows = slice(start, start + len(probability))
        start = rows.stop
        flat = probability.reshape(-1, *probability.shape[2:])
        masks = PRESETS[settings.protocol].masks(flat, settings.mask_threshold)
        yield rows, masks.reshape(probability.shape), probability.max(axis=(1, 2, 3))
