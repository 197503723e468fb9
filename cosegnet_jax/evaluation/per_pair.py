"""Predictions of models whose masks depend on the pair: the network runs on every pair that is scored.

Such a model has no decision network. The probability that a pair shares an object is the highest that a
pixel of its two masks has, so that, where pixels and pairs have one threshold, a pair shares nothing if both
masks are empty.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float32, Int

from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation.counts import count
from cosegnet_jax.evaluation.pairs import Classes, PairCounts, Pairs, truth_in_pair
from cosegnet_jax.evaluation.predictions import PairMasks
from cosegnet_jax.evaluation.published_protocols import PRESETS
from cosegnet_jax.networks.pair_network import PairNetwork


@dataclasses.dataclass(frozen=True, eq=False)
class PerPair:
    """`predictions.Predictions` from some numbers for each pair."""

    images: int
    pairs: Pairs  # in rising order
    pixels: PairCounts  # of `pairs`, before the gate

    decided_by: ClassVar[str] = (
        'the highest probability of a pixel in the two masks, on all pairs inside classes '
        'and as many others drawn at random'
    )
    embedding: ClassVar[None] = None

    def blocks(self) -> Iterator[Pairs]:
        """All pairs at once: there are no more than the network has looked at."""
        yield self.pairs

    def among(self, images: Int[np.ndarray, ' m']) -> Pairs:
        """Those of the pairs whose images are both among `images`."""
        return self.pairs[np.isin(self.pairs.first, images) & np.isin(self.pairs.second, images)]

    def counts(self, some: Pairs, filed: Classes, is_open: Bool[np.ndarray, ' p']) -> PairCounts:
        """What was counted of these pairs."""
        del filed  # known when the masks were compared
        return dataclasses.replace(self.pixels[self._rows(some)], is_open=is_open)

    def is_empty(self, some: Pairs) -> Bool[np.ndarray, ' p']:
        """Whether both masks are empty before the gate."""
        return (self.pixels.predicted[:, self._rows(some)] == 0).all(axis=0)

    def _rows(self, some: Pairs) -> Int[np.ndarray, ' p']:
        known, asked = (of.first * self.images + of.second for of in (self.pairs, some))
        return np.searchsorted(known, asked)


def measure(config: Config, network: PairNetwork, examples: Examples) -> PerPair:
    """Describes every image once, runs the network on `to_be_scored`, and counts pixels."""
    filed = Classes.filed(examples)
    chosen = to_be_scored(filed, config.seed)
    probability = np.empty(len(chosen), np.float32)
    counted = np.empty((3, 2, len(chosen)), np.int64)
    for rows, masks, highest in _look(config, network, examples, chosen):
        probability[rows] = highest
        for side in (0, 1):
            counted[:, side, rows] = _count(examples, filed, chosen[rows], masks, side)
    height, width = examples.masks.shape[1:]
    pixels = PairCounts(height * width, *counted, is_open=np.ones(len(chosen), bool))
    return PerPair(len(examples), Pairs(*chosen.T, probability), pixels)


def look(
    config: Config, network: PairNetwork, examples: Examples, chosen: Int[np.ndarray, 'p 2']
) -> PairMasks:
    """Masks and decisions of some pairs, so few that they fit into memory."""
    images, place = np.unique(chosen, return_inverse=True)
    few, places = examples.subset(images), place.reshape(chosen.shape)
    _, masks, highest = zip(*_look(config, network, few, places), strict=True)
    return PairMasks(np.concatenate(masks), np.concatenate(highest))


def to_be_scored(filed: Classes, seed: int) -> Int[np.ndarray, 'p 2']:
    """All pairs that are filed under a common class, and as many others drawn at random, in rising order.

    Lists all pairs of images, some 30 bytes each, of which the network could not look at a fraction.
    """
    table = filed.table.astype(np.float32)
    together = np.triu(table @ table.T > 0, 1)
    others = np.argwhere(np.triu(~together, 1))
    drawn = np.random.default_rng(seed).permutation(len(others))[: together.sum()]
    chosen = np.concatenate([np.argwhere(together), others[drawn]])
    return chosen[np.lexsort(chosen.T[::-1])]


def _look(
    config: Config, network: PairNetwork, examples: Examples, chosen: Int[np.ndarray, 'p 2']
) -> Iterator[tuple[slice, Bool[np.ndarray, 'b 2 h w'], Float32[np.ndarray, ' b']]]:
    """Rows of pairs, their thresholded masks and their highest probability, batch by batch."""
    settings = config.evaluation
    photos = (np.asarray(examples.images[rows]) for rows in examples.batches(settings.batch_images))
    described = network.describe(photos, settings.batch_images)
    start = 0
    for probability in network.pair_masks(described, chosen, settings.batch_images):
        rows = slice(start, start + len(probability))
        start = rows.stop
        flat = probability.reshape(-1, *probability.shape[2:])
        masks = PRESETS[settings.protocol].masks(flat, settings.mask_threshold)
        yield rows, masks.reshape(probability.shape), probability.max(axis=(1, 2, 3))


def _count(
    examples: Examples,
    filed: Classes,
    some: Int[np.ndarray, 'b 2'],
    masks: Bool[np.ndarray, 'b 2 h w'],
    side: int,
) -> Int[np.ndarray, '3 b']:
    """Pixels predicted, true and both, of the first or the second image of each pair."""
    image, partner = some[:, side], some[:, 1 - side]
    objects = np.asarray(examples.masks[image])
    counted = count(masks[:, side], truth_in_pair(objects, filed.common(image, partner)).astype(np.uint8), 1)
    return np.stack([counted.predicted, counted.true[:, 0], counted.hits[:, 0]])
