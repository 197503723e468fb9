"""Which pairs a report shows: drawn at random from a seed or picked by a stated rule, never by eye."""

from __future__ import annotations

import numpy as np

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation.protocol import ClassPairs, share_object

Pair = tuple[int, int]


def draw_positive(examples: Examples, count: int, seed: int) -> list[Pair]:
    """Draw `count` pairs with a common object, each of another class as long as there are classes."""
    rng = np.random.default_rng(seed)
    usable = examples.masks.any(axis=(1, 2))
    members = [np.flatnonzero((examples.labels == k) & usable) for k in range(len(examples.classes))]
    members = [m for m in members if len(m) >= 2]
    chosen = [members[k] for k in rng.permutation(len(members))[:count]]
    return [_sorted_pair(rng.choice(m, size=2, replace=False)) for m in chosen]


def draw_negative(examples: Examples, count: int, seed: int) -> list[Pair]:
    """Draw `count` different pairs without a common object, or all of them where there are fewer."""
    first, second = np.nonzero(np.triu(~share_object(examples), k=1))
    chosen = np.random.default_rng(seed).permutation(len(first))[:count]
    return [(int(first[row]), int(second[row])) for row in chosen]


def best_median_worst(examples: Examples, pairs: ClassPairs) -> dict[str, Pair]:
    """Pick by gated Jaccard among the pairs with a common object: lower median, first among equal worst."""
    shared = np.flatnonzero(share_object(examples)[pairs.first, pairs.second])
    if len(shared) == 0:
        return {}
    rising = shared[np.argsort(pairs.jaccard[shared], kind='stable')]
    picked = {'Best': rising[-1], 'Median': rising[(len(rising) - 1) // 2], 'Worst': rising[0]}
    return {rank: (int(pairs.first[row]), int(pairs.second[row])) for rank, row in picked.items()}


def _sorted_pair(pair: np.ndarray) -> Pair:
    return int(pair.min()), int(pair.max())
