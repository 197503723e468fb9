"""Scores of a data set from pixel counts of masks and decisions of pairs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Bool, Float64, Int

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation import decisions, metrics, published_protocols
from cosegnet_jax.evaluation.counts import Counts
from cosegnet_jax.evaluation.pairs import Classes, OutlierTruth, PairCounts, Pairs, counts_beside_any
from cosegnet_jax.evaluation.predictions import Predictions
from cosegnet_jax.runtime.errors import UserError


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All choices that scores depend on; the results file states them."""

    image_size: int  # pixels a side: masks are scored at the network's size
    name: Literal['cosegnet', 'docs', 'ssnm'] = 'cosegnet'  # of `published_protocols.PRESETS`
    mask_threshold: float = 0.5  # a pixel belongs to the object from this probability on
    decision_threshold: float = 0.5  # a pair shares an object from this probability on
    empty_truth: metrics.EmptyTruth = 'one'  # Jaccard of an empty mask on an empty truth
    outlier_truth: OutlierTruth = 'empty'  # of an image beside an outlier of its class
    symmetric: bool = True  # probabilities of a pair are averaged over its two orders
    seed: int = 0  # of the random 3:1:1 splits
    split: int = 0  # which of them
    split_file: str = ''  # where they are pinned; else they are drawn

    @property
    def preset(self) -> published_protocols.Preset:
        """The protocol that its name stands for."""
        return published_protocols.PRESETS[self.name]

    def as_dict(self) -> dict[str, Any]:
        """List the choices, None where the preset does not read one, and the preset in words."""
        unread = dict.fromkeys(self.preset.unread)
        return {**dataclasses.asdict(self), **unread, **self.preset.words}


@dataclasses.dataclass(frozen=True)
class Scores:
    """Scores over pairs, in [0, 1]; NaN where they are not defined. "Ungated" ignores the decisions."""

    pairs: int
    precision: float  # pixel accuracy over object and background, see `metrics.precision`
    jaccard: float
    precision_ungated: float
    jaccard_ungated: float


@dataclasses.dataclass(frozen=True, eq=False)
class Results:
    """Scores of one part of one data set."""

    dataset: str
    images: int
    overall: Scores
    per_class: dict[str, Scores]
    by_outlier_truth: dict[OutlierTruth, Scores]  # under either reading, where there are outliers; else empty
    skipped_classes: tuple[str, ...]  # fewer than two images in this part, hence no pair
    decision: decisions.DecisionScores
    probabilities: Int[np.ndarray, '2 shares']  # histogram: of negative pairs, and of positive ones
    decided_by: str  # what says that a pair shares an object, and of which pairs
    baselines: dict[str, Scores]  # masks that look at no image, under the same protocol, every gate open
    protocol: Protocol


def evaluate(
    examples: Examples, predictions: Predictions, baselines: Mapping[str, Counts], protocol: Protocol
) -> Results:
    """Score masks and decisions under a protocol (paper §4: all pairs of a set, then the mean over them).

    An image that does not show what it is filed under (an outlier) stays in its class and shares nothing. Its
    pairs are negative, and `protocol.outlier_truth` says which masks are right in them.

    Pairs are scored and added to sums block by block. With a decision network this takes less than 60 MB for
    any number of images, besides 256 bytes of embedding and a few counts for each.

    Args:
        examples: images with their classes.
        predictions: the model's masks and decisions.
        baselines: pixels of masks to compare with, of each image.
        protocol: the choices to score under.

    Raises:
        UserError: no class has two images.
    """
    filed, visible = Classes.filed(examples), Classes.visible(examples)
    if filed.table.sum(axis=0).max() < 2:
        raise UserError(
            f'{examples.name}: no class has two images in this part of {len(examples)}, so there is no pair '
            'to evaluate; add images or evaluate another part'
        )
    sets = protocol.preset.sets(filed.table)
    readings: list[OutlierTruth] = [protocol.outlier_truth]
    if (filed.table != visible.table).any():
        readings += [reading for reading in get_args(OutlierTruth) if reading not in readings]
    truths = [Classes.of_truth(examples, reading) for reading in readings]
    masks = (*readings, *baselines)
    tally = decisions.Tally.zero()
    sums = _Sums.zero(len(masks), len(examples.classes))
    for block in predictions.blocks():
        filed_together = np.asarray(filed.common(block.first, block.second).any(axis=1))
        positive = np.asarray(visible.common(block.first, block.second).any(axis=1))
        empty = predictions.is_empty(block)
        tally += decisions.tally(block, positive, filed_together, empty, protocol.decision_threshold)
        inside = _of_sets(block[filed_together], filed, sets)
        is_open = inside.pairs.probability >= protocol.decision_threshold
        always = np.ones_like(is_open)
        counts = [
            *(predictions.counts(inside.pairs, truth, is_open) for truth in truths),
            *(counts_beside_any(inside.pairs, counts, truths[0], always) for counts in baselines.values()),
        ]
        sums += _class_sums(inside, counts, len(examples.classes), protocol)
    per_class = {name: sums.per_class(mask, examples.classes) for mask, name in enumerate(masks)}
    ours = per_class[protocol.outlier_truth]
    return Results(
        dataset=examples.name,
        images=len(examples),
        overall=_mean_over_classes(ours),
        per_class=ours,
        by_outlier_truth={reading: _mean_over_classes(per_class[reading]) for reading in readings}
        if len(readings) > 1
        else {},
        skipped_classes=tuple(name for name in examples.classes if name not in ours),
        decision=decisions.scores(tally, protocol.decision_threshold),
        probabilities=tally.probability,
        decided_by=predictions.decided_by,
        baselines={name: _mean_over_classes(per_class[name]) for name in baselines},
        protocol=protocol,
    )


@dataclasses.dataclass(frozen=True, eq=False)
class _Sums:
    """Sums of each class: number of pairs, numerators and denominators of each score; sums can be added."""

    pairs: Int[np.ndarray, ' classes']
    above: Float64[np.ndarray, 'masks figures classes']
    below: Float64[np.ndarray, 'masks figures classes']

    @classmethod
    def zero(cls, masks: int, classes: int) -> _Sums:
        shape = masks, len(published_protocols.SCORES), classes
        return cls(np.zeros(classes, np.int64), np.zeros(shape), np.zeros(shape))

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(self.pairs + other.pairs, self.above + other.above, self.below + other.below)

    def per_class(self, mask: int, classes: tuple[str, ...]) -> dict[str, Scores]:
        """Compute the scores of one of the masks, for classes that have pairs."""
        figures = metrics.ratio(self.above[mask], self.below[mask])
        return {
            classes[c]: Scores(int(self.pairs[c]), *(float(figure) for figure in figures[:, c]))
            for c in np.flatnonzero(self.pairs)
        }


class _Inside(NamedTuple):
    """Pairs that are scored inside classes."""

    pairs: Pairs
    classes: Int[np.ndarray, 'p objects']  # of the first image
    member: Bool[np.ndarray, 'p objects']  # whether the pair counts in that class


def _of_sets(block: Pairs, filed: Classes, sets: Int[np.ndarray, 'n columns']) -> _Inside:
    """Select the pairs of `block` that are in one set of one of their classes."""
    classes = filed.rows[block.first]
    set_of_first, set_of_second = (sets[image[:, None], classes] for image in (block.first, block.second))
    member = (set_of_first == set_of_second) & (set_of_first != published_protocols.NO_SET)
    chosen = member.any(axis=1)
    return _Inside(block[chosen], classes[chosen], member[chosen])


def _class_sums(inside: _Inside, masks: list[PairCounts], classes: int, protocol: Protocol) -> _Sums:
    """Sum the terms of pairs by class, for each kind of mask."""
    terms = [protocol.preset.terms(counts, protocol.empty_truth) for counts in masks]
    above, below = (np.stack(side) for side in zip(*terms, strict=True))
    total = _Sums.zero(len(masks), classes)
    for k in range(inside.classes.shape[1]):  # a pair counts in each class that it is filed under
        member = inside.member[:, k]
        of_class = inside.classes[member, k]
        for side, sums in ((above, total.above), (below, total.below)):
            for mask, figure in np.ndindex(sums.shape[:2]):
                sums[mask, figure] += np.bincount(of_class, side[mask, figure, member], classes)
        total.pairs[:] += np.bincount(of_class, minlength=classes)
    return total


def _mean_over_classes(per_class: dict[str, Scores]) -> Scores:
    """Average over classes with equal weights (the column "Mean" of the paper's Table 2)."""
    figures = np.array([dataclasses.astuple(scores)[1:] for scores in per_class.values()])
    return Scores(sum(scores.pairs for scores in per_class.values()), *metrics.mean_defined(figures).tolist())
