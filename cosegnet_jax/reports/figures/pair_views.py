"""Pairs with their pixels, for reports and pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Int, UInt8

from cosegnet_jax.data.batches import truth_in_pair
from cosegnet_jax.data.examples import NO_CLASS, Examples
from cosegnet_jax.evaluation import counts, metrics
from cosegnet_jax.evaluation.pair_samples import Chosen, Pair
from cosegnet_jax.evaluation.pairs import Classes
from cosegnet_jax.evaluation.predictions import PairMasks


@dataclasses.dataclass(frozen=True, eq=False)
class ImageView:
    """One image of a pair."""

    filename: str
    classes: str  # that it is filed under
    photo: UInt8[np.ndarray, 'h w 3']
    mask: Bool[np.ndarray, 'h w']  # predicted object pixels, before the gate
    truth: Bool[np.ndarray, 'h w']  # pixels of what the pair has in common

    @property
    def jaccard(self) -> float:
        """Jaccard index of the mask before the gate."""
        counted = counts.count(self.mask[None], self.truth[None].astype(np.uint8), 1)
        return float(metrics.jaccard(counted.predicted, counted.true[:, 0], counted.hits[:, 0])[0])


@dataclasses.dataclass(frozen=True, eq=False)
class PairView:
    """Two images and their decision."""

    images: tuple[ImageView, ImageView]
    probability: float  # of a common object
    is_open: bool  # the gate
    shares_object: bool

    @property
    def classes(self) -> str:
        """Classes of the two images."""
        return ' + '.join(image.classes for image in self.images)

    @property
    def verdict(self) -> str:
        """The decision in words."""
        return 'common object' if self.is_open else 'nothing in common'


@dataclasses.dataclass(frozen=True, eq=False)
class PairViews:
    """The pairs of `pair_samples.Chosen`."""

    positive: list[PairView]
    ranked: dict[str, PairView]
    negative: list[PairView]


def load(
    examples: Examples,
    chosen: Chosen,
    segment: Callable[[Int[np.ndarray, 'p 2']], PairMasks],
    threshold: float,
) -> PairViews:
    """Read the images of the chosen pairs, and make their masks once more.

    Args:
        examples: the set.
        chosen: which pairs.
        segment: makes masks and decisions of pairs.
        threshold: probability from which the gate is open.
    """
    segmented = segment(np.array(chosen.all))
    seen = dict(zip(chosen.all, zip(*segmented, strict=True), strict=True))
    visible = Classes.visible(examples)

    def image(k: int, partner: int, mask: Bool[np.ndarray, 'h w']) -> ImageView:
        common = visible.common(np.array([k]), np.array([partner]))
        (truth,) = truth_in_pair(np.asarray(examples.masks[k])[None], common)
        names = [examples.classes[c] for c in examples.labels[k] if c != NO_CLASS]
        return ImageView(examples.filenames[k], ', '.join(names), np.asarray(examples.images[k]), mask, truth)

    def show(pair: Pair) -> PairView:
        masks, probability = seen[pair]
        first, second = pair
        return PairView(
            images=(image(first, second, masks[0]), image(second, first, masks[1])),
            probability=float(probability),
            is_open=bool(probability >= threshold),
            shares_object=bool(visible.common(np.array([first]), np.array([second])).any()),
        )

    return PairViews(
        positive=[show(pair) for pair in chosen.positive],
        ranked={rank: show(pair) for rank, pair in chosen.ranked.items()},
        negative=[show(pair) for pair in chosen.negative],
    )
