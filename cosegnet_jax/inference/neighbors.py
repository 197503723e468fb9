"""Pairs of photos that are worth a decision, where all would be too many.

The metric network is trained to put images with a common object near each other, by Euclidean distance
(equation 3), so that is what neighbors are found by.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int

from cosegnet_jax.runtime.optional_import import optional_import

NEEDS = 'faiss'
_DRAWN = 5  # other photos, for each
_CELLS = 4  # for each root of the number of photos, as the library advises
_LEAST = 39  # photos of a cell, below which the library takes it for too small
_SEARCHED = 32  # cells


def candidates(embeddings: Float32[np.ndarray, 'n 64'], count: int) -> Int[np.ndarray, 'p 2']:
    """Each photo with those nearest to it, and with five others that are drawn.

    The nearest find small groups. But a photo of a hundred alike has only these among its neighbors: what
    ties them to the rest of a large group are pairs drawn from all photos. The same embeddings always give
    the same pairs.

    Neighbors are approximate: the space is divided into cells by k-means, and a photo finds those that are
    in the nearest 32 of them, or all where there are no more.

    Args:
        embeddings: Of n photos.
        count: Neighbors of each photo.

    Returns:
        Each pair once, the lower number first, in rising order.

    Raises:
        UserError: faiss is not installed.
    """
    faiss = optional_import(NEEDS, 'large')
    photos, size = embeddings.shape
    cells = max(1, min(round(_CELLS * photos**0.5), photos // _LEAST))
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(size), size, cells)
    index.nprobe = _SEARCHED
    index.cp.min_points_per_centroid = 1  # else it warns where few photos are all in one cell
    index.train(embeddings)
    index.add(embeddings)
    _, found = index.search(embeddings, count + 1)  # each finds itself, too
    drawn = np.random.default_rng(0).integers(photos, size=(photos, _DRAWN))
    first = np.arange(photos).repeat(count + 1 + _DRAWN)
    second = np.concatenate([found, drawn], 1).ravel()
    other = (second >= 0) & (second != first)  # -1 is none
    first, second = first[other], second[other]
    numbers = np.unique(np.minimum(first, second) * photos + np.maximum(first, second))
    return np.stack(np.divmod(numbers, photos), 1)


def halves(embeddings: Float32[np.ndarray, 'n 64']) -> list[Int[np.ndarray, ' _']]:
    """Numbers of two or more photos in two parts, by k-means; neither is empty."""
    faiss = optional_import(NEEDS, 'large')
    means = faiss.Kmeans(embeddings.shape[1], 2)
    means.train(embeddings)
    nearest = means.index.search(embeddings, 1)[1][:, 0]
    parts = [np.flatnonzero(nearest == number) for number in (0, 1)]
    # Photos that are all the same have no two means.
    return parts if all(map(len, parts)) else np.array_split(np.arange(len(embeddings)), 2)
