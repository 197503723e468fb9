"""Which photos belong together, where only some pairs have been decided.

Average linkage merges two groups at a mean of at least the threshold, so that at least one pair between them
is as likely: it never leaves a connected component of the graph of such pairs. Inside a component all pairs
are decided and grouped as `grouping.group` does it. A group comes apart only where none of the decided pairs
(`neighbors.candidates`) tie its parts together.

A component that is too large for a table of all its pairs is cut, by k-means, into pieces that are not. In
each piece the photos that are most alike are merged, until some thousand clusters are left of all pieces.
These are then merged as average linkage merges them, with their sizes, at mean probabilities that are
estimated from pairs of their photos.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import Float32, Int
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from cosegnet_jax.inference.groups.grouping import Groups, group, ordered
from cosegnet_jax.inference.groups.linkage import cut, members_of, merge_nearest
from cosegnet_jax.inference.groups.neighbors import halves

LARGEST = 5000  # photos or clusters in a table, which takes 20 bytes a pair: 0.5 GB
LEFT = 0.4  # clusters that are left of all pieces, of LARGEST
DRAWN = 64  # pairs whose mean stands for that of two clusters
TOGETHER = 256  # photos decided at a time, of small components
_ROUNDING = 1e-5  # by which a pair may be decided otherwise in a list than in a table

Members = Int[np.ndarray, ' _']  # numbers of photos, rising
Decide = Callable[[Float32[np.ndarray, 'm 64']], Float32[np.ndarray, 'm m']]


def group_near(
    embeddings: Float32[np.ndarray, 'n 64'],
    probabilities: sparse.csr_array,
    decide: Decide,
    threshold: float,
    largest: int = LARGEST,
) -> Groups:
    """Groups photos by average linkage inside the components of the graph of likely pairs.

    Args:
        embeddings: Of n photos.
        probabilities: That two photos share an object, n×n and symmetric, of pairs that were decided.
        decide: Gives the same for all pairs of some embeddings.
        threshold: As that of `grouping.group`.
        largest: Side of the largest table; memory grows with its square. Larger components are approximated.
    """
    components = _components(probabilities, threshold)
    clusters = [component.tolist() for component in components if len(component) == 1]
    for pack in _packs([component for component in components if 1 < len(component) <= largest]):
        table = decide(embeddings[np.concatenate(pack)])
        start = 0
        for component in pack:
            inside = slice(start, start + len(component))
            start = inside.stop
            found = group(table[inside, inside], threshold)
            clusters += [component[members].tolist() for members in found.groups]
            clusters += [[number] for number in component[found.outliers].tolist()]
    for component in components:
        if len(component) > largest:
            found = _approximated(embeddings[component], decide, threshold, largest)
            clusters += [component[members].tolist() for members in found]
    return ordered(clusters)


def _components(probabilities: sparse.csr_array, threshold: float) -> list[Members]:
    decided = probabilities.tocoo()
    likely = decided.data >= threshold - _ROUNDING
    links = sparse.csr_array((likely[likely], (decided.row[likely], decided.col[likely])), decided.shape)
    return members_of(connected_components(links, directed=False)[1])


def _packs(components: list[Members]) -> Iterator[list[Members]]:
    """Components to be decided in one table, for a thousand small tables take long."""
    pack, photos = [], 0
    for component in components:
        if pack and photos + len(component) > TOGETHER:
            yield pack
            pack, photos = [], 0
        pack.append(component)
        photos += len(component)
    if pack:
        yield pack


def _approximated(
    embeddings: Float32[np.ndarray, 'n 64'], decide: Decide, threshold: float, largest: int
) -> list[Members]:
    """Groups of too many photos for one table, where too few are alike to leave so many clusters apart."""
    clusters = list(np.arange(len(embeddings))[:, None])
    while len(clusters) > largest:
        centers = np.stack([embeddings[members].mean(0) for members in clusters])
        left = []
        for piece in _small_enough(np.arange(len(clusters)), centers, largest):
            fewest = max(1, int(LEFT * largest * len(piece) / len(clusters)))
            left += _merged([clusters[number] for number in piece], embeddings, decide, threshold, fewest)
        if len(left) == len(clusters):  # nothing in any piece is alike
            return clusters
        clusters = left
    return _merged(clusters, embeddings, decide, threshold, 1)


def _small_enough(
    members: Members, embeddings: Float32[np.ndarray, 'n 64'], largest: int
) -> Iterator[Members]:
    if len(members) <= largest:
        yield members
        return
    for half in halves(embeddings[members]):
        yield from _small_enough(members[half], embeddings, largest)


def _merged(
    clusters: Sequence[Members],
    embeddings: Float32[np.ndarray, 'n 64'],
    decide: Decide,
    threshold: float,
    fewest: int,
) -> list[Members]:
    """Merges clusters by average linkage, the nearest first, until `fewest` or only unlike ones are left."""
    sizes = np.array([len(members) for members in clusters])
    random = np.random.default_rng(0)
    mean = np.zeros((len(clusters), len(clusters)), np.float32)
    draws = DRAWN if sizes.max() > 1 else 1
    for _ in range(draws):
        one_each = [members[number] for members, number in zip(clusters, random.integers(sizes), strict=True)]
        mean += decide(embeddings[one_each]) / np.float32(draws)
    merges = merge_nearest(1 - mean.astype(np.float64), sizes)
    return [
        np.sort(np.concatenate([clusters[number] for number in numbers]))
        for numbers in members_of(cut(merges, 1 - threshold, fewest))
    ]
