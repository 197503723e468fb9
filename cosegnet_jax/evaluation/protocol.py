"""How masks and decisions become figures: which pairs count, what the gate does, and which mean is taken.

Without the gate, the mask of an image does not depend on its partner, and with the gate closed it is empty.
So pairs are scored by numbers that images have on their own: pixels are read once per image, never per pair.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.errors import UserError
from cosegnet_jax.evaluation import metrics


@dataclasses.dataclass(frozen=True)
class Protocol:
    """Every choice behind a set of figures; written into the results, because figures differ with it.

    The last two fields state what `evaluate` does and cannot be set.
    """

    image_size: int  # pixels a side: masks are scored at the network's size
    mask_threshold: float = 0.5  # a pixel belongs to the object from this probability on
    decision_threshold: float = 0.5  # a pair shares an object from this probability on
    empty_truth: Literal['one', 'zero', 'skip'] = 'one'  # Jaccard of an empty mask on an empty truth
    symmetric: bool = True  # probabilities of a pair are averaged over its two orders
    seed: int = 0  # of the random 3:1:1 splits
    split: int = 0  # which of them
    pairs: str = dataclasses.field(
        default='all unordered pairs inside each class, each the mean of its two images', init=False
    )
    average: str = dataclasses.field(  # as "Mean" in the paper's Table 2
        default='mean over classes of the mean over pairs of the class', init=False
    )


@dataclasses.dataclass(frozen=True)
class Scores:
    """Means over pairs, in [0, 1]; NaN where every pair was skipped. "Ungated" ignores the decisions."""

    pairs: int
    precision: float  # pixel accuracy over object and background, see `metrics.precision`
    jaccard: float
    precision_ungated: float
    jaccard_ungated: float


@dataclasses.dataclass(frozen=True)
class DecisionScores:
    """How well the probabilities tell pairs with a common object from pairs without.

    Over all unordered pairs, inside classes and across. Rates are in [0, 1]; NaN where there is no such pair.
    """

    threshold: float
    positive_pairs: int
    negative_pairs: int
    accuracy: float  # over all pairs alike, so mostly over negative ones
    balanced_accuracy: float  # the mean of the next two
    true_positive_rate: float
    true_negative_rate: float
    null_mask_rate: float  # negative pairs that get two empty masks, by the gate or by the masks themselves
    auc: float


@dataclasses.dataclass(frozen=True)
class Results:
    """What `evaluate` found out about one part of one data set."""

    dataset: str
    images: int
    overall: Scores
    per_class: dict[str, Scores]
    skipped_classes: tuple[str, ...]  # fewer than two images in this part, hence no pair
    decision: DecisionScores
    baselines: dict[str, Scores]  # masks that look at no image, under the same protocol
    protocol: Protocol


@dataclasses.dataclass(frozen=True)
class ClassPairs:
    """The pairs inside the class sets, one row each: images `first` < `second` and the scores of the pair."""

    first: Int[np.ndarray, ' pairs']
    second: Int[np.ndarray, ' pairs']
    label: Int[np.ndarray, ' pairs']
    precision: Float64[np.ndarray, ' pairs']
    jaccard: Float64[np.ndarray, ' pairs']
    precision_ungated: Float64[np.ndarray, ' pairs']
    jaccard_ungated: Float64[np.ndarray, ' pairs']

    def scores(self, label: int) -> Scores:
        """Average over the pairs of one class."""
        of_class = self.label == label
        return Scores(
            pairs=int(of_class.sum()),
            precision=float(metrics.mean_defined(self.precision[of_class])),
            jaccard=float(metrics.mean_defined(self.jaccard[of_class])),
            precision_ungated=float(metrics.mean_defined(self.precision_ungated[of_class])),
            jaccard_ungated=float(metrics.mean_defined(self.jaccard_ungated[of_class])),
        )


def evaluate(
    examples: Examples,
    masks: Bool[np.ndarray, 'n height width'],
    decisions: Float[np.ndarray, 'n n'],
    protocol: Protocol,
) -> Results:
    """Score masks and decisions as the paper does (§4: all pairs of a set, then the mean over them).

    An image with an empty truth (an outlier of its class folder) stays in its class set for precision and
    Jaccard, but shares nothing: all its pairs are negative ones to the decision.

    Args:
        examples: images with their classes and true masks.
        masks: thresholded masks, before the gate.
        decisions: probability that images i and j share an object, the same in both orders; a pair is read at
            [i, j] with i < j, and the diagonal is not read.
        protocol: the choices to score under.

    Raises:
        UserError: no class has two images.
    """
    pairs = score_class_pairs(examples, masks, decisions, protocol)
    if len(pairs.label) == 0:
        raise UserError(
            f'{examples.name}: no class has two images in this part of {len(examples)}, so there is no pair '
            'to evaluate; add images or evaluate another part'
        )
    per_class = _per_class(examples, pairs)
    return Results(
        dataset=examples.name,
        images=len(examples),
        overall=_mean_over_classes(per_class),
        per_class=per_class,
        skipped_classes=tuple(name for name in examples.classes if name not in per_class),
        decision=_score_decisions(examples, masks, decisions, protocol.decision_threshold),
        baselines=baselines(examples, protocol),
        protocol=protocol,
    )


def baselines(examples: Examples, protocol: Protocol) -> dict[str, Scores]:
    """Score two masks that look at no image, with every gate open.

    `all_foreground` marks every pixel. `centre_box` marks the box in the middle with half the image's width
    and half its height (on PASCAL-VOC co-segmentation, larger boxes score lower).
    """
    height, width = examples.masks.shape[1:]
    box = np.zeros((height, width), dtype=bool)
    box[height // 4 : height - height // 4, width // 4 : width - width // 4] = True
    open_gates = np.broadcast_to(np.float32(1), (len(examples), len(examples)))

    def score(mask: Bool[np.ndarray, 'height width']) -> Scores:
        masks = np.broadcast_to(mask, examples.masks.shape)
        return _mean_over_classes(
            _per_class(examples, score_class_pairs(examples, masks, open_gates, protocol))
        )

    return {'all_foreground': score(np.ones_like(box)), 'centre_box': score(box)}


def share_object(examples: Examples) -> Bool[np.ndarray, 'n n']:
    """Tell which pairs have a common object: the same class, and neither truth empty; ignore the diagonal."""
    has_object = examples.masks.any(axis=(1, 2))
    same_class = examples.labels[:, None] == examples.labels[None, :]
    return same_class & has_object[:, None] & has_object[None, :]


def score_class_pairs(
    examples: Examples,
    masks: Bool[np.ndarray, 'n height width'],
    decisions: Float[np.ndarray, 'n n'],
    protocol: Protocol,
) -> ClassPairs:
    """Score every unordered pair inside each class set; arguments as for `evaluate`.

    A pair scores the mean over its two images. A closed gate replaces both masks by empty ones: Jaccard is
    then 0 for an image that has an object, and precision is its share of background.
    """
    truth = examples.masks > 0
    null = np.broadcast_to(np.False_, truth.shape)
    first, second = _class_pairs(examples.labels)
    is_open = decisions[first, second] >= protocol.decision_threshold

    def of_pairs(of_image: Float64[np.ndarray, ' n']) -> Float64[np.ndarray, ' pairs']:
        return metrics.mean_defined(np.stack([of_image[first], of_image[second]]), axis=0)

    precision_ungated = of_pairs(metrics.precision(masks, truth))
    jaccard_ungated = of_pairs(metrics.jaccard(masks, truth, protocol.empty_truth))
    precision_null = of_pairs(metrics.precision(null, truth))
    jaccard_null = of_pairs(metrics.jaccard(null, truth, protocol.empty_truth))
    return ClassPairs(
        first=first,
        second=second,
        label=examples.labels[first],
        precision=np.where(is_open, precision_ungated, precision_null),
        jaccard=np.where(is_open, jaccard_ungated, jaccard_null),
        precision_ungated=precision_ungated,
        jaccard_ungated=jaccard_ungated,
    )


def _class_pairs(
    labels: Int[np.ndarray, ' n'],
) -> tuple[Int[np.ndarray, ' pairs'], Int[np.ndarray, ' pairs']]:
    """All i < j with the same label, class after class."""
    first, second = [np.zeros(0, dtype=np.intp)], [np.zeros(0, dtype=np.intp)]
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        i, j = np.triu_indices(len(members), k=1)
        first.append(members[i])
        second.append(members[j])
    return np.concatenate(first), np.concatenate(second)


def _per_class(examples: Examples, pairs: ClassPairs) -> dict[str, Scores]:
    return {examples.classes[label]: pairs.scores(int(label)) for label in np.unique(pairs.label)}


def _mean_over_classes(per_class: dict[str, Scores]) -> Scores:
    """Every class weighs the same, however many pairs it has (the column "Mean" of the paper's Table 2)."""

    def mean(field: str) -> float:
        return float(
            metrics.mean_defined(np.array([getattr(scores, field) for scores in per_class.values()]))
        )

    return Scores(
        pairs=sum(scores.pairs for scores in per_class.values()),
        precision=mean('precision'),
        jaccard=mean('jaccard'),
        precision_ungated=mean('precision_ungated'),
        jaccard_ungated=mean('jaccard_ungated'),
    )


def _score_decisions(
    examples: Examples,
    masks: Bool[np.ndarray, 'n height width'],
    decisions: Float[np.ndarray, 'n n'],
    threshold: float,
) -> DecisionScores:
    unordered = np.triu(np.ones(decisions.shape, dtype=bool), k=1)
    positive = share_object(examples)[unordered]
    probability = decisions[unordered]
    is_open = probability >= threshold
    is_empty = ~masks.any(axis=(1, 2))
    both_empty = (is_empty[:, None] & is_empty[None, :])[unordered]
    true_positive_rate = metrics.rate(is_open[positive])
    true_negative_rate = metrics.rate(~is_open[~positive])
    return DecisionScores(
        threshold=threshold,
        positive_pairs=int(positive.sum()),
        negative_pairs=int((~positive).sum()),
        accuracy=metrics.rate(is_open == positive),
        balanced_accuracy=(true_positive_rate + true_negative_rate) / 2,
        true_positive_rate=true_positive_rate,
        true_negative_rate=true_negative_rate,
        null_mask_rate=metrics.rate((~is_open | both_empty)[~positive]),
        auc=metrics.roc_auc(probability, positive),
    )
