"""All unordered pairs of a set, a block at a time, and what the two images of a pair have in common.

A pair is judged by what it has in common. Its images share an object if they show a class both; and the
truth of each of them in the pair is its pixels of all classes that both are filed under, so that beside an
outlier of its class an image keeps its object, and the outlier has none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from cosegnet_jax.data.batches import visible_classes
from cosegnet_jax.data.examples import NO_CLASS, Examples
from cosegnet_jax.evaluation.counts import Counts
from cosegnet_jax.networks.image_network import PAIR_BLOCK

BLOCK = PAIR_BLOCK  # images a side of a block

# (rows, columns) as indices of images -> probability that row and column share an object
Decide = Callable[[Int[np.ndarray, ' r'], Int[np.ndarray, ' c']], Float[np.ndarray, 'r c']]


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """Some pairs: images `first` < `second`, and the probability that they share an object."""

    first: Int[np.ndarray, ' p']
    second: Int[np.ndarray, ' p']
    probability: Float[np.ndarray, ' p']

    def __getitem__(self, chosen: Bool[np.ndarray, ' p']) -> Pairs:
        return Pairs(self.first[chosen], self.second[chosen], self.probability[chosen])


def between(rows: Int[np.ndarray, ' r'], columns: Int[np.ndarray, ' c'], decide: Decide) -> Pairs:
    """The pairs of an image of `rows` with a later one of `columns`."""
    table = decide(rows, columns)
    r, c = np.nonzero(rows[:, None] < columns)
    return Pairs(rows[r], columns[c], table[r, c])


def blocks(images: int, decide: Decide) -> Iterator[Pairs]:
    """Every unordered pair of `images` images once, at most BLOCK² of them at a time."""
    parts = [np.arange(start, min(start + BLOCK, images)) for start in range(0, images, BLOCK)]
    for top, rows in enumerate(parts):
        for columns in parts[top:]:
            yield between(rows, columns, decide)


@dataclasses.dataclass(frozen=True, eq=False)
class Classes:
    """Which classes images have, as rows of numbers and as a table to look them up."""

    rows: Int[np.ndarray, 'n objects']
    table: Bool[np.ndarray, 'n columns']  # one column per class, and a false one that NO_CLASS finds

    @classmethod
    def filed(cls, examples: Examples) -> Classes:
        """The classes that images are filed under."""
        return cls._of(examples.labels, examples)

    @classmethod
    def visible(cls, examples: Examples) -> Classes:
        """The classes that images show."""
        return cls._of(visible_classes(examples.labels, examples.visible), examples)

    @classmethod
    def _of(cls, rows: Int[np.ndarray, 'n objects'], examples: Examples) -> Classes:
        table = np.zeros((len(rows), len(examples.classes) + 1), dtype=bool)
        np.put_along_axis(table, rows, True, axis=1)
        table[:, NO_CLASS] = False
        return cls(rows, table)

    def common(
        self, first: Int[np.ndarray, ' p'], second: Int[np.ndarray, ' p']
    ) -> Bool[np.ndarray, 'p objects']:
        """Which of the classes in the rows of `first` the images `second` have, too."""
        return self.table[second[:, None], self.rows[first]]


@dataclasses.dataclass(frozen=True, eq=False)
class PairCounts:
    """Pixels of p pairs: a row for the first images and one for the second."""

    pixels: int  # of one image
    predicted: Int[np.ndarray, '2 p']  # in the mask, before the gate
    true: Int[np.ndarray, '2 p']  # of the objects that the pair has in common
    hits: Int[np.ndarray, '2 p']  # in both
    is_open: Bool[np.ndarray, ' p']  # the gate

    def __getitem__(self, chosen: Bool[np.ndarray, ' p'] | Int[np.ndarray, ' q']) -> PairCounts:
        sides = (x[:, chosen] for x in (self.predicted, self.true, self.hits))
        return PairCounts(self.pixels, *sides, self.is_open[chosen])

    def gated(self) -> PairCounts:
        """The same with empty masks where the gate is closed."""
        return dataclasses.replace(
            self, predicted=self.predicted * self.is_open, hits=self.hits * self.is_open
        )


def pair_counts(pairs: Pairs, counts: Counts, filed: Classes, is_open: Bool[np.ndarray, ' p']) -> PairCounts:
    """Puts together what the images of each pair have on their own.

    Args:
        pairs: the pairs.
        counts: pixels of images.
        filed: the classes that images are filed under.
        is_open: the gate of each pair.
    """

    def of_common(
        pixels: Int[np.ndarray, 'n objects'],
        image: Int[np.ndarray, ' p'],
        common: Bool[np.ndarray, 'p objects'],
    ) -> Int[np.ndarray, ' p']:
        return (pixels[image] * common).sum(axis=1)

    both = [(pairs.first, pairs.second), (pairs.second, pairs.first)]
    common = [(image, filed.common(image, partner)) for image, partner in both]
    return PairCounts(
        pixels=counts.pixels,
        predicted=np.stack([counts.predicted[image] for image, _ in both]),
        true=np.stack([of_common(counts.true, *own) for own in common]),
        hits=np.stack([of_common(counts.hits, *own) for own in common]),
        is_open=is_open,
    )


def truth_in_pair(
    objects: UInt8[np.ndarray, 'p h w'], common: Bool[np.ndarray, 'p objects']
) -> Bool[np.ndarray, 'p h w']:
    """Pixels of what images have in common with their partners.

    Args:
        objects: masks of the images, k on their object number k.
        common: which of their objects the partner has, too.
    """
    background = np.zeros((len(common), 1), bool)
    lookup = np.concatenate([background, common], axis=1)
    return np.take_along_axis(lookup, objects.reshape(len(objects), -1), axis=1).reshape(objects.shape)
