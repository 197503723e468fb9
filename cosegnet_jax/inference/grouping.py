"""Which photos belong together, from the probability of every pair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform


class Groups(NamedTuple):
    """Numbers of photos; each is in one group, or an outlier."""

    groups: list[list[int]]  # of two or more, the largest first, then by first member; members rise
    outliers: list[int]  # photos that belong nowhere, rising


def group(probabilities: Float32[np.ndarray, 'n n'], threshold: float) -> Groups:
    """Groups photos by average linkage (UPGMA).

    Every photo begins on its own. The two groups whose photos share an object with the highest mean
    probability, over all pairs between the one and the other, are merged, as long as that mean is at least
    `threshold`. A photo that is still alone is an outlier.

    Single pairs would not do: one wrong decision would join two groups (single linkage), or one missed pair
    keep a group apart (complete linkage).

    Args:
        probabilities: That two photos share an object, symmetric; n is 2 or more. The diagonal is not read.
        threshold: In [0, 1].
    """
    distances = squareform(1 - probabilities.astype(np.float64), checks=False)
    labels = fcluster(linkage(distances, 'average'), 1 - threshold, 'distance')
    return ordered([np.flatnonzero(labels == label).tolist() for label in np.unique(labels)])


def ordered(clusters: list[list[int]]) -> Groups:
    """The order that `Groups` promises; members of a cluster rise."""
    clusters = sorted(clusters, key=lambda some: (-len(some), some[0]))
    return Groups(
        groups=[some for some in clusters if len(some) > 1],
        outliers=[some[0] for some in clusters if len(some) == 1],
    )
