"""What scoring asks of a model: its decisions about pairs, and the pixels of its masks of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int

from cosegnet_jax.evaluation.pairs import Classes, PairCounts, Pairs


@runtime_checkable
class Predictions(Protocol):
    """A model's answers for the pairs of a set of images: `per_image.PerImage` or `per_pair.PerPair`."""

    decided_by: ClassVar[str]  # in words: what says that a pair shares an object, and of which pairs

    @property
    def embedding(self) -> Float32[np.ndarray, 'n 64'] | None:
        """The embedding of each image, if the model has one."""
        ...

    def blocks(self) -> Iterator[Pairs]:
        """Each pair to be scored once, some thousands at a time."""
        ...

    def among(self, images: Int[np.ndarray, ' m']) -> Pairs:
        """The pairs to be scored between some images, given in rising order."""
        ...

    def counts(self, some: Pairs, truth: Classes, is_open: Bool[np.ndarray, ' p']) -> PairCounts:
        """Pixels of the masks of some pairs; `truth` is from `Classes.of_truth`."""
        ...

    def is_empty(self, some: Pairs) -> Bool[np.ndarray, ' p']:
        """Whether both masks are empty before the gate."""
        ...


class PairMasks(NamedTuple):
    """Some pairs to look at."""

    masks: Bool[np.ndarray, 'p 2 h w']  # thresholded, before the gate
    probability: Float32[np.ndarray, ' p']  # that they share an object
