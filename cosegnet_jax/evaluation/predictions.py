"""What scoring asks of a network: decisions about pairs, and pixel counts of their masks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int

from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation.pairs import Classes, PairCounts, Pairs


@runtime_checkable
class Predictions(Protocol):
    """Predictions for the pairs of a set of images: `PerImage`, `BesidePartner` or `PerPair`."""

    decided_by: ClassVar[str]  # in words: what says that a pair shares an object, and of which pairs

    @property
    def embedding(self) -> Float32[np.ndarray, 'n 64'] | None:
        """Embedding of each image, if the network has one."""
        ...

    def blocks(self) -> Iterator[Pairs]:
        """Give each pair to score once, some thousands at a time."""
        ...

    def among(self, images: Int[np.ndarray, ' m']) -> Pairs:
        """Give the pairs to score between some images; these are sorted."""
        ...

    def counts(self, some: Pairs, truth: Classes, is_open: Bool[np.ndarray, ' p']) -> PairCounts:
        """Count the pixels of the masks of pairs; `truth` is from `Classes.of_truth`."""
        ...

    def is_empty(self, some: Pairs) -> Bool[np.ndarray, ' p']:
        """Tell whether both masks are empty before the gate."""
        ...


class PairMasks(NamedTuple):
    """Masks and decisions of pairs, to be shown."""

    masks: Bool[np.ndarray, 'p 2 h w']  # thresholded, before the gate
    probability: Float32[np.ndarray, ' p']  # that they share an object


@runtime_checkable
class Scorer(Protocol):
    """Runs networks of one kind on images; `config` has batch sizes, thresholds and protocol."""

    def predict(self, config: Config, network: Any, examples: Examples) -> Predictions:
        """Make the network's predictions of a set."""
        ...

    def segment_pairs(
        self, config: Config, network: Any, examples: Examples, chosen: Int[np.ndarray, 'p 2']
    ) -> PairMasks:
        """Make the network's masks and decisions of a few pairs."""
        ...
