"""Pairs with their pixels, as a report and a picture show them; only their images are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, UInt8

from cosegnet_jax.data.examples import NO_CLASS, Examples
from cosegnet_jax.evaluation import counts, metrics
from cosegnet_jax.evaluation.pairs import Classes, Decide
from cosegnet_jax.evaluation.samples import Chosen, Pair


@dataclasses.dataclass(frozen=True, eq=False)
class ShownImage:
    """One image of a pair."""

    filename: str
    classes: str  # that it is filed under
    photo: UInt8[np.ndarray, 'h w 3']
    mask: Bool[np.ndarray, 'h w']  # predicted object pixels, before the gate
    truth: Bool[np.ndarray, 'h w']  # pixels of what the pair has in common

    @property
    def jaccard(self) -> float:
        """Of the mask before the gate."""
        counted = counts.count(self.mask[None], self.truth[None].astype(np.uint8), 1)
        return float(metrics.jaccard(counted.predicted, counted.true[:, 0], counted.hits[:, 0])[0])


@dataclasses.dataclass(frozen=True, eq=False)
class ShownPair:
    """Two images and what was decided of them."""

    images: tuple[ShownImage, ShownImage]
    probability: float  # of a common object
    is_open: bool  # the gate
    shares_object: bool

    @property
    def classes(self) -> str:
        """Of the two images."""
        return ' + '.join(image.classes for image in self.images)

    @property
    def verdict(self) -> str:
        """The decision in words."""
        return 'common object' if self.is_open else 'nothing in common'


@dataclasses.dataclass(frozen=True, eq=False)
class Shown:
    """The pairs of `samples.Chosen`."""

    positive: list[ShownPair]
    ranked: dict[str, ShownPair]
    negative: list[ShownPair]


def load(
    examples: Examples,
    chosen: Chosen,
    predict: Callable[[Examples], Bool[np.ndarray, 'n h w']],
    decide: Decide,
    threshold: float,
) -> Shown:
    """Reads the images of the chosen pairs, and describes them once more for their masks.

    Args:
        examples: the set.
        chosen: which pairs.
        predict: thresholded masks of examples, before the gate.
        decide: probability that images share an object.
        threshold: probability from which the gate is open.
    """
    images = sorted({image for pair in chosen.all for image in pair})
    masks = dict(zip(images, predict(examples.subset(np.array(images))), strict=True))
    filed, shown = Classes.filed(examples), Classes.shown(examples)

    def image(k: int, partner: int) -> ShownImage:
        (common,) = filed.common(np.array([k]), np.array([partner]))
        names = [examples.classes[c] for c in examples.labels[k] if c != NO_CLASS]
        truth = np.isin(examples.masks[k], np.flatnonzero(common) + 1)
        return ShownImage(examples.filenames[k], ', '.join(names), examples.images[k], masks[k], truth)

    def show(pair: Pair) -> ShownPair:
        first, second = (np.array([k]) for k in pair)
        probability = float(decide(first, second)[0, 0])
        return ShownPair(
            images=(image(*pair), image(*reversed(pair))),
            probability=probability,
            is_open=probability >= threshold,
            shares_object=bool(shown.common(first, second).any()),
        )

    return Shown(
        positive=[show(pair) for pair in chosen.positive],
        ranked={rank: show(pair) for rank, pair in chosen.ranked.items()},
        negative=[show(pair) for pair in chosen.negative],
    )
