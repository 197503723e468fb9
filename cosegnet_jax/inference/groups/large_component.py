"""Groups of a component that is too large for a table of all its pairs.

Average linkage may merge any two clusters that are the nearest to each other: the order of such merges does
not change its result (Murtagh, The Computer Journal 1983). So pairs of clusters that are the nearest to each
other are merged, all at once, round after round, until few enough are left for a table. Only near clusters
are compared. The table then has the mean probability of any two, and average linkage does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int

from cosegnet_jax.inference.groups.linkage import cut, members_of, merge_nearest
from cosegnet_jax.inference.groups.neighbors import candidates

NEAR = 20  # clusters that each one is compared with, in a round
DRAWN = 16  # pairs of photos that stand for those of two clusters in a round, where there are more
REPRESENTATIVES = 2**15  # photos whose pairs are all decided for the table
_AT_A_TIME = 2**22  # pairs of photos
_ROWS = 1024  # photos

Members = Int[np.ndarray, ' _']  # numbers of photos, rising


@runtime_checkable
class Decisions(Protocol):
    """What a network decides of embeddings, as `ImageNetwork` does."""

    def decide(
        self, rows: Float32[np.ndarray, 'r 64'], columns: Float32[np.ndarray, 'c 64'], symmetric: bool
    ) -> Float32[np.ndarray, 'r c']:
        """Probabilities of all pairs of two sets."""
        ...

    def decide_pairs(
        self, embeddings: Float32[np.ndarray, 'n 64'], pairs: Int[np.ndarray, 'p 2']
    ) -> Float32[np.ndarray, ' p']:
        """Probabilities of some pairs."""
        ...


def group_large(
    embeddings: Float32[np.ndarray, 'n 64'], network: Decisions, threshold: float, largest: int
) -> list[Members]:
    """Groups photos by average linkage, without a table of all pairs.

    Means are exact while clusters are small, and otherwise those of some pairs. Where more than `largest`
    clusters are left of which no two near ones are alike, these are the groups.

    Args:
        embeddings: Of more than `largest` photos.
        network: Decides pairs.
        threshold: As that of `grouping.group`.
        largest: Clusters of the table.
    """
    random = np.random.default_rng(0)
    clusters = list(np.arange(len(embeddings))[:, None])
    while len(clusters) > largest:
        merged = _merge_mutual(clusters, embeddings, network, threshold, random)
        if len(merged) == len(clusters):
            return clusters
        clusters = merged
    distances = 1 - _table(clusters, embeddings, network, random)
    merges = merge_nearest(distances, np.array([len(members) for members in clusters]))
    return _joined(clusters, cut(merges, 1 - threshold))


def _joined(clusters: Sequence[Members], labels: Int[np.ndarray, ' k']) -> list[Members]:
    return [np.sort(np.concatenate([clusters[one] for one in some])) for some in members_of(labels)]


def _merge_mutual(
    clusters: Sequence[Members],
    embeddings: Float32[np.ndarray, 'n 64'],
    network: Decisions,
    threshold: float,
    random: np.random.Generator,
) -> list[Members]:
    """Merges any two clusters that are the nearest to each other, at a mean of at least the threshold."""
    centers = np.stack([embeddings[members].mean(0) for members in clusters])
    pairs = candidates(centers, min(NEAR, len(clusters) - 1))
    means = _means(clusters, pairs, embeddings, network, random)
    alike = means >= threshold
    pairs, means, draw = pairs[alike], np.tile(means[alike], 2), np.tile(random.permutation(alike.sum()), 2)
    one, other = np.concatenate([pairs, pairs[:, ::-1]]).T
    order = np.lexsort((draw, -means, one))  # draw lots between equals, or few of them would be mutual
    one, other = one[order], other[order]
    found, places = np.unique(one, return_index=True)
    nearest = np.full(len(clusters), -1)
    nearest[found] = other[places]
    mutual = found[nearest[nearest[found]] == found]
    labels = np.arange(len(clusters))
    labels[mutual] = np.minimum(mutual, nearest[mutual])
    return _joined(clusters, labels)


def _means(
    clusters: Sequence[Members],
    pairs: Int[np.ndarray, 'p 2'],
    embeddings: Float32[np.ndarray, 'n 64'],
    network: Decisions,
    random: np.random.Generator,
) -> Float64[np.ndarray, ' p']:
    """Mean probabilities between pairs of clusters, of all pairs of their photos or of some drawn ones."""
    sizes = np.array([len(members) for members in clusters])
    photos, starts = np.concatenate(clusters), np.cumsum(sizes) - sizes
    means = []
    for some in np.array_split(pairs, -(-len(pairs) * DRAWN // _AT_A_TIME)):
        whole = sizes[some].prod(1)
        counts = np.minimum(whole, DRAWN)
        ends = np.cumsum(counts)
        numbers = np.arange(counts.sum()) - (ends - counts).repeat(counts)  # 0, 1, 2 … of each pair
        whole, first, second = (each.repeat(counts) for each in (whole, *some.T))
        numbers = np.where(whole > DRAWN, random.integers(whole), numbers)
        left, right = np.divmod(numbers, sizes[second])
        drawn = photos[np.stack([starts[first] + left, starts[second] + right], 1)]
        decided = network.decide_pairs(embeddings, drawn).astype(np.float64)
        means.append(np.add.reduceat(decided, ends - counts) / counts)
    return np.concatenate(means)


def _table(
    clusters: Sequence[Members],
    embeddings: Float32[np.ndarray, 'n 64'],
    network: Decisions,
    random: np.random.Generator,
) -> Float64[np.ndarray, 'k k']:
    """Mean probabilities of any two clusters: exact while photos are few, else of some of each."""
    sizes = np.array([len(members) for members in clusters])
    most = max(
        m for m in range(1, sizes.max() + 1) if m == 1 or np.minimum(sizes, m).sum() <= REPRESENTATIVES
    )
    photos = np.concatenate([random.permutation(members)[:most] for members in clusters])
    counts = np.minimum(sizes, most)
    starts = np.cumsum(counts) - counts
    table = np.empty((len(clusters), len(clusters)))
    for rows in np.split(np.arange(len(clusters)), np.flatnonzero(np.diff(starts // _ROWS)) + 1):
        top, bottom = starts[rows[0]], starts[rows[-1]] + counts[rows[-1]]
        block = network.decide(embeddings[photos[top:bottom]], embeddings[photos[top:]], symmetric=True)
        sums = np.add.reduceat(np.add.reduceat(block, starts[rows] - top, 0), starts[rows[0] :] - top, 1)
        means = sums / np.multiply.outer(counts[rows], counts[rows[0] :])
        table[rows, rows[0] :], table[rows[0] :, rows] = means, means.T
    return table
