"""Pairs of photos that are worth a decision, where all would be too many.

The metric network is trained to put images with a common object near each other, by Euclidean distance
(equation 3), so that is what neighbors are found by.
"""

from __future__ import annotations

import importlib.util

import numpy as np
from jaxtyping import Float32, Int

_DRAWN = 5  # other photos, for each
_CELLS = 4  # for each root of the number of photos, as faiss advises
_LEAST = 39  # photos of a cell, below which faiss takes it for too small
_SEARCHED = 32  # cells
_BLOCK = 2**25  # distances in memory at a time, where they are all computed


def candidates(embeddings: Float32[np.ndarray, 'n 64'], count: int) -> Int[np.ndarray, 'p 2']:
    """Each photo with those nearest to it, and with five others that are drawn.

    The nearest find small groups. But a photo of a hundred alike has only these among its neighbors: what
    ties them to the rest of a large group are pairs drawn from all photos. The same embeddings always give
    the same pairs.

    Where faiss is installed, neighbors are approximate: the space is divided into cells by k-means, and a
    photo finds those that are in the nearest 32 of them, or all where there are no more. Without faiss they
    are exact, and take a time that grows with the square of the photos.

    Args:
        embeddings: Of n photos.
        count: Neighbors of each photo, fewer than n.

    Returns:
        Each pair once, the lower number first, in rising order.
    """
    photos = len(embeddings)
    nearest = _in_cells if importlib.util.find_spec('faiss') else _among_all
    found = nearest(embeddings, count + 1)  # each finds itself, too
    drawn = np.random.default_rng(0).integers(photos, size=(photos, _DRAWN))
    first = np.arange(photos).repeat(count + 1 + _DRAWN)
    second = np.concatenate([found, drawn], 1).ravel()
    other = (second >= 0) & (second != first)  # -1 is none
    first, second = first[other], second[other]
    numbers = np.unique(np.minimum(first, second) * photos + np.maximum(first, second))
    return np.stack(np.divmod(numbers, photos), 1)


def _in_cells(embeddings: Float32[np.ndarray, 'n 64'], count: int) -> Int[np.ndarray, 'n count']:
    import faiss

    photos, size = embeddings.shape
    cells = max(1, min(round(_CELLS * photos**0.5), photos // _LEAST))
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(size), size, cells)
    index.nprobe = _SEARCHED
    index.cp.min_points_per_centroid = 1  # else it warns where few photos are all in one cell
    index.train(embeddings)
    index.add(embeddings)
    return index.search(embeddings, count)[1]


def _among_all(embeddings: Float32[np.ndarray, 'n 64'], count: int) -> Int[np.ndarray, 'n count']:
    squares = np.square(embeddings).sum(1)
    found, rows = [], max(1, _BLOCK // len(embeddings))
    for start in range(0, len(embeddings), rows):
        distances = squares - 2 * embeddings[start : start + rows] @ embeddings.T  # but for their own squares
        found.append(np.argpartition(distances, count - 1, 1)[:, :count])
    return np.concatenate(found)
