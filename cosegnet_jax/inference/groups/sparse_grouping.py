"""Which photos belong together, where only some pairs have been decided.

Average linkage merges two groups at a mean of at least the threshold, so that at least one pair between them
is as likely: it never leaves a connected component of the graph of such pairs. Inside a component all pairs
are decided and grouped as `grouping.group` does it. A group comes apart only where none of the decided pairs
(`neighbors.candidates`) tie its parts together.

A component that is too large for a table of all its pairs is grouped by `large_component`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float32
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from cosegnet_jax.inference.groups.grouping import Groups, group, ordered
from cosegnet_jax.inference.groups.large_component import Decisions, Members, group_large
from cosegnet_jax.inference.groups.linkage import members_of

LARGEST = 5000  # photos or clusters in a table, which takes 20 bytes a pair: 0.5 GB
TOGETHER = 256  # photos decided at a time, of small components
_ROUNDING = 1e-5  # by which a pair may be decided otherwise in a list than in a table

Decide = Callable[[Float32[np.ndarray, 'm 64']], Float32[np.ndarray, 'm m']]


def group_near(
    embeddings: Float32[np.ndarray, 'n 64'],
    probabilities: sparse.csr_array,
    network: Decisions,
    decide: Decide,
    threshold: float,
    largest: int = LARGEST,
) -> Groups:
    """Groups photos by average linkage inside the components of the graph of likely pairs.

    Args:
        embeddings: Of n photos.
        probabilities: That two photos share an object, n×n and symmetric, of pairs that were decided.
        network: Decides pairs of a component that is too large for a table.
        decide: Gives the same for all pairs of some embeddings.
        threshold: As that of `grouping.group`.
        largest: Photos of the largest table; memory grows with their square. Larger components have none.
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
            found = group_large(embeddings[component], network, threshold, largest)
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
