"""Predictions of a network whose partners choose: one description per image, and two masks per pair."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation import per_image
from cosegnet_jax.evaluation.counts import Counts, concatenate, count
from cosegnet_jax.evaluation.pairs import Classes, PairCounts, Pairs, pair_counts
from cosegnet_jax.evaluation.per_image import PerImage
from cosegnet_jax.evaluation.predictions import PairMasks
from cosegnet_jax.evaluation.published_protocols import PRESETS
from cosegnet_jax.networks.image_network import Descriptions, PartnerNetwork, masks_beside_partner


@dataclasses.dataclass(frozen=True, eq=False)
class BesidePartner(PerImage):
    """As `PerImage`, but the masks of a pair depend on both images; they are made when they are counted.

    A mask that is empty without a partner counts as empty in every pair.
    """

    config: Config
    network: PartnerNetwork
    examples: Examples
    described: Descriptions  # of all images

    def counts(self, some: Pairs, truth: Classes, is_open: Bool[np.ndarray, ' p']) -> PairCounts:
        """Make the masks of pairs and count their pixels."""
        sides = (some.first, some.second), (some.second, some.first)
        first, second = (self._count(*side) for side in sides)
        return pair_counts(some, (first, second), truth, is_open)

    def _count(self, images: Int[np.ndarray, ' p'], partners: Int[np.ndarray, ' p']) -> Counts:
        objects = self.examples.labels.shape[1]
        nothing = np.zeros((0, *self.examples.masks.shape[1:]), np.uint8)
        parts = [count(nothing > 0, nothing, objects)]
        for rows, masks in _masks(self.config, self.network, self.described, images, partners):
            parts.append(count(masks, _select(self.examples.masks, images[rows]), objects))
        return concatenate(parts)


def predict(config: Config, network: PartnerNetwork, examples: Examples) -> BesidePartner:
    """Describe every image once."""
    described = _describe(config, network, examples)
    objects, masks = examples.labels.shape[1], PRESETS[config.evaluation.protocol].masks
    alone = [
        count(
            masks(described.masks[rows], config.evaluation.mask_threshold),
            np.asarray(examples.masks[rows]),
            objects,
        )
        for rows in examples.batches(config.evaluation.batch_images)
    ]
    decide = per_image.decisions_of(config, network, described.embeddings)
    return BesidePartner(
        concatenate(alone), described.embeddings, decide, config, network, examples, described
    )


def segment_pairs(
    config: Config, network: PartnerNetwork, examples: Examples, chosen: Int[np.ndarray, 'p 2']
) -> PairMasks:
    """Make masks and decisions of a few pairs, all in memory."""
    images, place = np.unique(chosen, return_inverse=True)
    described = _describe(config, network, examples.subset(images))
    first, second = place.reshape(chosen.shape).T
    sides = [
        np.concatenate([masks for _, masks in _masks(config, network, described, *side)])
        for side in ((first, second), (second, first))
    ]
    everything = np.arange(len(images))
    table = per_image.decisions_of(config, network, described.embeddings)(everything, everything)
    return PairMasks(np.stack(sides, 1), table[first, second])


def _describe(config: Config, network: PartnerNetwork, examples: Examples) -> Descriptions:
    """Describe all images, in memory."""
    size = config.evaluation.batch_images
    return network.describe_all(examples.photos(size), size)


def _masks(
    config: Config,
    network: PartnerNetwork,
    described: Descriptions,
    images: Int[np.ndarray, ' p'],
    partners: Int[np.ndarray, ' p'],
) -> Iterator[tuple[slice, Bool[np.ndarray, '_ h w']]]:
    """Make rows of pairs and the masks of their `images`, batch by batch."""
    settings, places = config.evaluation, described.places
    assert places
    for start in range(0, len(images), settings.batch_images):
        rows = slice(start, start + settings.batch_images)
        changes = network.compare(places.select(images[rows]), places.select(partners[rows]))
        probability = np.asarray(masks_beside_partner(described.masks[images[rows]], changes))
        yield rows, PRESETS[settings.protocol].masks(probability, settings.mask_threshold)


def _select(stored: Any, images: Int[np.ndarray, ' p']) -> Any:
    return np.stack([stored[image] for image in images])
