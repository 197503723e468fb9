"""Average linkage (UPGMA): clusters that are near each other on average become one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int
from scipy import sparse
from scipy.sparse.csgraph import connected_components


class Merges(NamedTuple):
    """How n clusters become one, the nearest first."""

    pairs: Int[np.ndarray, 'n-1 2']  # one of the clusters on either side
    heights: Float64[np.ndarray, ' n-1']  # mean distances, rising


def merge_nearest(distances: Float64[np.ndarray, 'n n'], sizes: Int[np.ndarray, ' n']) -> Merges:
    """Merges the two clusters at the least mean distance, over all pairs between them, until one is left.

    Follows chains of nearest neighbors (Murtagh, The Computer Journal 1983), in O(n²) time. Order and
    arithmetic are those of SciPy's `linkage`, which does not know of sizes, and of the page of results.

    Args:
        distances: Mean distances between clusters, symmetric; overwritten.
        sizes: Members of each cluster.
    """
    count, weights = len(distances), sizes.astype(np.float64)
    np.fill_diagonal(distances, np.inf)  # so is every column of what was merged away
    pairs, heights = np.empty((count - 1, 2), int), np.empty(count - 1)
    left, chain = np.ones(count, bool), []  # each of the chain is the nearest to the one before it
    for number in range(count - 1):
        chain = chain or [int(left.argmax())]
        while True:
            row = distances[chain[-1]]
            nearest = int(row.argmin())
            if len(chain) > 1 and row[chain[-2]] <= row[nearest]:  # wins ties, else a chain might go round
                break
            chain.append(nearest)
        first, second = sorted((chain.pop(), chain.pop()))  # the second stands for both from here on
        pairs[number], heights[number] = (first, second), distances[first, second]
        both = weights[first] + weights[second]
        mean = (weights[first] * distances[first] + weights[second] * distances[second]) / both
        distances[second] = distances[:, second] = mean
        distances[:, first] = np.inf
        weights[second], left[first] = both, False
    order = np.argsort(heights, kind='stable')
    return Merges(pairs[order], heights[order])


def cut(merges: Merges, height: float, fewest: int = 1) -> Int[np.ndarray, ' n']:
    """Numbers of the clusters that are left after the merges up to a height, or until `fewest` are left."""
    count = len(merges.pairs) + 1
    done = min(int((merges.heights <= height).sum()), count - fewest)
    first, second = merges.pairs[:done].T
    links = sparse.csr_array((np.ones(done), (first, second)), (count, count))
    return connected_components(links, directed=False)[1]


def members_of(labels: Int[np.ndarray, ' n']) -> list[Int[np.ndarray, ' _']]:
    """Who has each label, rising; in the order of labels."""
    members = np.argsort(labels, kind='stable')
    return np.split(members, np.flatnonzero(np.diff(labels[members])) + 1)
