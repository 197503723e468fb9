"""The pairs that a report shows: drawn from a seed or picked by a rule, never by eye."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation import metrics, published_protocols
from cosegnet_jax.evaluation.pairs import Classes
from cosegnet_jax.evaluation.predictions import Predictions
from cosegnet_jax.evaluation.protocol import Protocol

POSITIVE, NEGATIVE = 6, 4  # pairs drawn of either kind
POOL = 512  # images, drawn at random where there are more; negative and ranked pairs come from them

Pair = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Chosen:
    """Pairs to show."""

    positive: list[Pair]
    ranked: dict[str, Pair]
    negative: list[Pair]

    @property
    def all(self) -> list[Pair]:
        """All of them."""
        return [*self.positive, *self.ranked.values(), *self.negative]


def choose(examples: Examples, predictions: Predictions, protocol: Protocol, seed: int) -> Chosen:
    """Choose pairs with and without a common object from `seed`, and the best, the median and the worst.

    The drawn pairs do not depend on the network.
    """
    pool = draw_pool(len(examples), seed)
    return Chosen(
        positive=draw_positive(examples, POSITIVE, seed),
        ranked=best_median_worst(examples, predictions, pool, protocol),
        negative=draw_negative(examples, pool, NEGATIVE, seed),
    )


def draw_pool(images: int, seed: int) -> Int[np.ndarray, ' pool']:
    """Draw POOL images, or all where there are no more; sorted."""
    return np.sort(np.random.default_rng(seed).permutation(images)[:POOL])


def draw_positive(examples: Examples, count: int, seed: int) -> list[Pair]:
    """Draw `count` pairs with a common object, each of another class as long as there are classes."""
    rng = np.random.default_rng(seed)
    visible = Classes.visible(examples).table
    members = [np.flatnonzero(visible[:, c]) for c in range(len(examples.classes))]
    members = [m for m in members if len(m) >= 2]
    chosen = [members[c] for c in rng.permutation(len(members))[:count]]
    return [_pair(*np.sort(rng.choice(m, size=2, replace=False))) for m in chosen]


def draw_negative(examples: Examples, pool: Int[np.ndarray, ' pool'], count: int, seed: int) -> list[Pair]:
    """Draw `count` different pairs within `pool` without a common object, or all where there are fewer."""
    first, second = (pool[side] for side in np.triu_indices(len(pool), 1))
    rows = np.flatnonzero(~_share(examples, first, second))
    chosen = np.random.default_rng(seed).permutation(rows)[:count]
    return [_pair(first[row], second[row]) for row in chosen]


def best_median_worst(
    examples: Examples, predictions: Predictions, pool: Int[np.ndarray, ' pool'], protocol: Protocol
) -> dict[str, Pair]:
    """Pick by gated Jaccard among the pairs within `pool` with a common object.

    The median is the lower one, and of equal pairs the first is the worst.
    """
    pairs = predictions.among(pool)
    shared = pairs[_share(examples, pairs.first, pairs.second)]
    if len(shared.first) == 0:
        return {}
    is_open = shared.probability >= protocol.decision_threshold
    pixels = predictions.counts(shared, Classes.visible(examples), is_open)
    above, below = protocol.preset.terms(pixels, protocol.empty_truth)
    figure = published_protocols.SCORES.index('jaccard')
    rising = np.argsort(metrics.ratio(above[figure], below[figure]), kind='stable')
    picked = {'Best': rising[-1], 'Median': rising[(len(rising) - 1) // 2], 'Worst': rising[0]}
    return {rank: _pair(shared.first[row], shared.second[row]) for rank, row in picked.items()}


def _share(
    examples: Examples, first: Int[np.ndarray, ' p'], second: Int[np.ndarray, ' p']
) -> Bool[np.ndarray, ' p']:
    return np.asarray(Classes.visible(examples).common(first, second).any(axis=1))


def _pair(first: Any, second: Any) -> Pair:
    return int(first), int(second)
