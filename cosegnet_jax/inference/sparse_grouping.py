"""Which photos belong together, where only some pairs have been decided.

Average linkage merges two groups at a mean of at least the threshold, so that at least one pair between them
is as likely: it never leaves a connected component of the graph of such pairs. Inside a component all pairs
are decided and grouped as `grouping.group` does it. A group comes apart only where none of the decided pairs
(`neighbors.candidates`) tie its parts together, or where its component is too large.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float32, Int
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from cosegnet_jax.inference.grouping import Groups, group, ordered
from cosegnet_jax.inference.neighbors import halves

LARGEST = 5000  # photos grouped at a time, in some 30 bytes a pair: 0.75 GB
TOGETHER = 256  # photos decided at a time, of small components
_ROUNDING = 1e-5  # by which a pair may be decided otherwise in a list than in a table

Members = Int[np.ndarray, ' _']  # numbers of photos, rising


def group_near(
    embeddings: Float32[np.ndarray, 'n 64'],
    probabilities: sparse.csr_array,
    decide: Callable[[Float32[np.ndarray, 'm 64']], Float32[np.ndarray, 'm m']],
    threshold: float,
    largest: int = LARGEST,
) -> Groups:
    """Groups photos by average linkage inside the components of the graph of likely pairs.

    A component of more than `largest` photos is halved, by k-means of the embeddings, until the pieces are
    small enough; so a group of more photos than that comes in several.

    Args:
        embeddings: Of n photos.
        probabilities: That two photos share an object, n×n and symmetric, of pairs that were decided.
        decide: Gives the same for all pairs of some embeddings.
        threshold: As that of `grouping.group`.
        largest: Photos that are grouped at a time; memory grows with their square.
    """
    pieces = [
        piece
        for component in _components(probabilities, threshold)
        for piece in _small_enough(component, embeddings, largest)
    ]
    clusters = [piece.tolist() for piece in pieces if len(piece) == 1]
    for pack in _packs([piece for piece in pieces if len(piece) > 1]):
        table = decide(embeddings[np.concatenate(pack)])
        start = 0
        for piece in pack:
            inside = slice(start, start + len(piece))
            start = inside.stop
            found = group(table[inside, inside], threshold)
            clusters += [piece[members].tolist() for members in found.groups]
            clusters += [[number] for number in piece[found.outliers].tolist()]
    return ordered(clusters)


def _components(probabilities: sparse.csr_array, threshold: float) -> list[Members]:
    decided = probabilities.tocoo()
    likely = decided.data >= threshold - _ROUNDING
    links = sparse.csr_array((likely[likely], (decided.row[likely], decided.col[likely])), decided.shape)
    labels = connected_components(links, directed=False)[1]
    members = np.argsort(labels, kind='stable')
    return np.split(members, np.flatnonzero(np.diff(labels[members])) + 1)


def _small_enough(
    members: Members, embeddings: Float32[np.ndarray, 'n 64'], largest: int
) -> Iterator[Members]:
    if len(members) <= largest:
        yield members
        return
    for half in halves(embeddings[members]):
        yield from _small_enough(members[half], embeddings, largest)


def _packs(pieces: list[Members]) -> Iterator[list[Members]]:
    """Pieces to be decided in one table, for a thousand small tables take long."""
    pack, photos = [], 0
    for piece in pieces:
        if pack and photos + len(piece) > TOGETHER:
            yield pack
            pack, photos = [], 0
        pack.append(piece)
        photos += len(piece)
    if pack:
        yield pack
