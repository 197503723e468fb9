"""All unordered pairs of a set, a block at a time, and the objects that their images share.

Two images share an object if both show a class. The true mask of an image in a pair has its pixels of all
classes that both images show. So beside an outlier of its class an image has an empty true mask (paper §3.5,
Figure 6; fidelity row 34). `Classes.of_truth` names the other reading.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from cosegnet_jax.data.batches import visible_classes
from cosegnet_jax.data.examples import NO_CLASS, Examples
from cosegnet_jax.evaluation.counts import Counts
from cosegnet_jax.networks.image_network import PAIR_BLOCK

BLOCK = PAIR_BLOCK  # images a side of a block

OutlierTruth = Literal['empty', 'object']

# (rows, columns) as indices of images -> probability that row and column share an object
Decide = Callable[[Int[np.ndarray, ' r'], Int[np.ndarray, ' c']], Float[np.ndarray, 'r c']]


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of images `first` < `second`, and the probability that they share an object."""

    first: Int[np.ndarray, ' p']
    second: Int[np.ndarray, ' p']
    probability: Float[np.ndarray, ' p']

    def __getitem__(self, chosen: Bool[np.ndarray, ' p']) -> Pairs:
        return Pairs(self.first[chosen], self.second[chosen], self.probability[chosen])


def between(rows: Int[np.ndarray, ' r'], columns: Int[np.ndarray, ' c'], decide: Decide) -> Pairs:
    """Decide the pairs of an image of `rows` with a later one of `columns`."""
    table = decide(rows, columns)
    r, c = np.nonzero(rows[:, None] < columns)
    return Pairs(rows[r], columns[c], table[r, c])


def blocks(images: int, decide: Decide) -> Iterator[Pairs]:
    """Decide every unordered pair of `images` images, at most BLOCK² pairs at a time."""
    parts = [np.arange(start, min(start + BLOCK, images)) for start in range(0, images, BLOCK)]
    for top, rows in enumerate(parts):
        for columns in parts[top:]:
            yield between(rows, columns, decide)


@dataclasses.dataclass(frozen=True, eq=False)
class Classes:
    """Classes of images, as rows of numbers and as a table to look them up."""

    rows: Int[np.ndarray, 'n objects']
    table: Bool[np.ndarray, 'n columns']  # one column per class, and a false one that NO_CLASS finds

    @classmethod
    def filed(cls, examples: Examples) -> Classes:
        """Take the classes that images are filed under."""
        return cls._of(examples.labels, examples)

    @classmethod
    def visible(cls, examples: Examples) -> Classes:
        """Take the classes that images show."""
        return cls._of(visible_classes(examples.labels, examples.visible), examples)

    @classmethod
    def of_truth(cls, examples: Examples, outlier_truth: OutlierTruth) -> Classes:
        """Take the classes whose pixels are the truth of a pair if both images have them.

        Args:
            examples: the set.
            outlier_truth: `empty` takes the classes that images show: beside an outlier the truth is empty.
                `object` takes the classes that images are filed under: beside an outlier an image keeps its
                object.
        """
        return cls.visible(examples) if outlier_truth == 'empty' else cls.filed(examples)

    @classmethod
    def _of(cls, rows: Int[np.ndarray, 'n objects'], examples: Examples) -> Classes:
        table = np.zeros((len(rows), len(examples.classes) + 1), dtype=bool)
        np.put_along_axis(table, rows, True, axis=1)
        table[:, NO_CLASS] = False
        return cls(rows, table)

    def common(
        self, first: Int[np.ndarray, ' p'], second: Int[np.ndarray, ' p']
    ) -> Bool[np.ndarray, 'p objects']:
        """Tell which classes in the rows of `first` the images `second` have too."""
        return self.table[second[:, None], self.rows[first]]


@dataclasses.dataclass(frozen=True, eq=False)
class PairCounts:
    """Pixel counts of p pairs: a row for the first images and one for the second."""

    pixels: int  # of one image
    predicted: Int[np.ndarray, '2 p']  # in the mask, before the gate
    true: Int[np.ndarray, '2 p']  # of the objects that the pair has in common
    hits: Int[np.ndarray, '2 p']  # in both
    is_open: Bool[np.ndarray, ' p']  # the gate

    def __getitem__(self, chosen: Bool[np.ndarray, ' p'] | Int[np.ndarray, ' q']) -> PairCounts:
        predicted, true, hits = (x[:, chosen] for x in (self.predicted, self.true, self.hits))
        return PairCounts(self.pixels, predicted, true, hits, self.is_open[chosen])

    def gated(self) -> PairCounts:
        """Empty the masks where the gate is closed."""
        return dataclasses.replace(
            self, predicted=self.predicted * self.is_open, hits=self.hits * self.is_open
        )


def pair_counts(
    pairs: Pairs, sides: tuple[Counts, Counts], truth: Classes, is_open: Bool[np.ndarray, ' p']
) -> PairCounts:
    """Count the pixels of pairs from those of their images.

    Args:
        pairs: the pairs.
        sides: pixels of the first image of each pair, and of the second one.
        truth: from `Classes.of_truth`.
        is_open: the gate of each pair.
    """
    common = [truth.common(pairs.first, pairs.second), truth.common(pairs.second, pairs.first)]
    each = list(zip(sides, common, strict=True))
    return PairCounts(
        pixels=sides[0].pixels,
        predicted=np.stack([side.predicted for side in sides]),
        true=np.stack([(side.true * shared).sum(axis=1) for side, shared in each]),
        hits=np.stack([(side.hits * shared).sum(axis=1) for side, shared in each]),
        is_open=is_open,
    )


def counts_beside_any(
    pairs: Pairs, counts: Counts, truth: Classes, is_open: Bool[np.ndarray, ' p']
) -> PairCounts:
    """Count as `pair_counts` where masks do not depend on the partner; `counts` are of images."""
    return pair_counts(pairs, (counts[pairs.first], counts[pairs.second]), truth, is_open)
