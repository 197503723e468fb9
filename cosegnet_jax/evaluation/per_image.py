"""Predictions of CoSegNet: before the gate, the mask of an image does not depend on its partner."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float32, Int

from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation import pairs
from cosegnet_jax.evaluation.counts import Counts, concatenate, count
from cosegnet_jax.evaluation.pairs import Classes, Decide, PairCounts, Pairs
from cosegnet_jax.evaluation.predictions import PairMasks
from cosegnet_jax.evaluation.published_protocols import PRESETS
from cosegnet_jax.networks.image_network import ImageNetwork


@dataclasses.dataclass(frozen=True, eq=False)
class PerImage:
    """`predictions.Predictions` from the counts and the embedding of each image."""

    counts_of_images: Counts  # of the masks before the gate
    embedding: Float32[np.ndarray, 'n 64']
    decide: Decide  # probability that images share an object; of a pair, the earlier image is the row

    decided_by: ClassVar[str] = 'the decision network, on all pairs'

    def blocks(self) -> Iterator[Pairs]:
        """Decide every unordered pair."""
        return pairs.blocks(len(self.counts_of_images.predicted), self.decide)

    def among(self, images: Int[np.ndarray, ' m']) -> Pairs:
        """Decide every unordered pair of `images`."""
        return pairs.between(images, images, self.decide)

    def counts(self, some: Pairs, truth: Classes, is_open: Bool[np.ndarray, ' p']) -> PairCounts:
        """Count the pixels of pairs from those of their images."""
        return pairs.counts_beside_any(some, self.counts_of_images, truth, is_open)

    def is_empty(self, some: Pairs) -> Bool[np.ndarray, ' p']:
        """Tell whether both masks are empty before the gate."""
        empty = self.counts_of_images.predicted == 0
        return empty[some.first] & empty[some.second]


def predict(config: Config, network: ImageNetwork, examples: Examples) -> PerImage:
    """Describe every image once, and count the pixels of its mask."""
    objects = examples.labels.shape[1]
    counts, embeddings = [], []
    for rows, masks, embedding in _describe(config, network, examples):
        counts.append(count(masks, np.asarray(examples.masks[rows]), objects))
        embeddings.append(embedding)
    described = np.concatenate(embeddings)
    return PerImage(concatenate(counts), described, decisions_of(config, network, described))


def segment_pairs(
    config: Config, network: ImageNetwork, examples: Examples, chosen: Int[np.ndarray, 'p 2']
) -> PairMasks:
    """Make masks and decisions of a few pairs, all in memory."""
    images, place = np.unique(chosen, return_inverse=True)
    described = list(_describe(config, network, examples.subset(images)))
    masks = np.concatenate([masks for _, masks, _ in described])
    embedding = np.concatenate([embedding for _, _, embedding in described])
    place = place.reshape(chosen.shape)
    everything = np.arange(len(images))
    table = decisions_of(config, network, embedding)(everything, everything)
    return PairMasks(masks[place], table[place[:, 0], place[:, 1]])


def decisions_of(config: Config, network: ImageNetwork, embedding: Float32[np.ndarray, 'n 64']) -> Decide:
    """Apply the decision network to the embeddings of all images."""

    def decide(rows: Int[np.ndarray, ' r'], columns: Int[np.ndarray, ' c']) -> Float32[np.ndarray, 'r c']:
        return network.decide(embedding[rows], embedding[columns], config.evaluation.symmetric)

    return decide


def _describe(
    config: Config, network: ImageNetwork, examples: Examples
) -> Iterator[tuple[slice, Bool[np.ndarray, 'b h w'], Float32[np.ndarray, 'b 64']]]:
    """Make rows, masks and embeddings, batch by batch."""
    settings = config.evaluation
    rows_of = examples.batches(settings.batch_images)
    described = network.describe(examples.photos(settings.batch_images), settings.batch_images)
    for rows, one in zip(rows_of, described, strict=True):
        yield rows, PRESETS[settings.protocol].masks(one.masks, settings.mask_threshold), one.embeddings
