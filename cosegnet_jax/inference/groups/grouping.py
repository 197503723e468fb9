"""Which photos belong together, from the probability of every pair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from cosegnet_jax.inference.groups.linkage import cut, members_of, merge_nearest


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
    merges = merge_nearest(1 - probabilities.astype(np.float64), np.ones(len(probabilities), int))
    return ordered([members.tolist() for members in members_of(cut(merges, 1 - threshold))])


def ordered(clusters: list[list[int]]) -> Groups:
    """The order that `Groups` promises; members of a cluster rise."""
    clusters = sorted(clusters, key=lambda some: (-len(some), some[0]))
    return Groups(
        groups=[some for some in clusters if len(some) > 1],
        outliers=[some[0] for some in clusters if len(some) == 1],
    )
