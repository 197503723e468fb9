"""Time, memory and truth of deciding only some pairs, on embeddings like those of photos.

python benchmarks/large_collections.py --like=FOLDER [--model=NAME] [--photos=10000] [--neighbors=20]

Prints a line of JSON. FOLDER has a folder of photos for each class; some 400 of them are looked at.
Embeddings are drawn from some kinds: Gaussians, their centers three times as far apart as these classes, and
half as wide; of unit length, where those of the photos are. --seed, --kinds, --spread and --unequal draw
others.
`recall` is the share of the true neighbors that are found. Up to 10,000 photos, `groups_of_all_pairs` are
those of the table of all pairs, and `agreement` is the share of the pairs that are together in one of the
groupings which are so in both.
"""

from __future__ import annotations

import json
import time
from collections import Counter

import numpy as np
from absl import flags
from jaxtyping import Float32, Float64, Int

from cosegnet_jax.benchmark import timing
from cosegnet_jax.benchmark.row import Row
from cosegnet_jax.cli import command_line
from cosegnet_jax.cli.segmenter import segmenter_from_flags
from cosegnet_jax.inference import collection
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.inference.groups.grouping import Groups, group
from cosegnet_jax.inference.groups.neighbors import candidates
from cosegnet_jax.inference.groups.sparse_grouping import group_near
from cosegnet_jax.runtime.errors import UserError

FARTHER = 3  # than the classes are
LOOKED_AT = 400  # photos, at most
COMPARED = 10_000  # photos that all pairs of are decided, too, which takes 3 GB
PROBES = 1000  # photos whose true neighbors are sought

_LIKE = flags.DEFINE_string('like', None, 'Folder with a folder of photos for each class.')
_PHOTOS = flags.DEFINE_integer('photos', 10_000, 'Number of embeddings.', lower_bound=2)
_NEIGHBORS = flags.DEFINE_integer(
    'neighbors', 20, 'Compare each photo with N that look alike.', lower_bound=1
)
_SEED = flags.DEFINE_integer('seed', 0, 'Of what is drawn.')
_KINDS = flags.DEFINE_integer('kinds', 100, 'Number of kinds.', lower_bound=1)
_SPREAD = flags.DEFINE_float('spread', 0.5, 'Width of a kind, of that of a class.', lower_bound=0)
_UNEQUAL = flags.DEFINE_bool(
    'unequal', False, 'The second kind is half as large as the first, the third a third.'
)
_THRESHOLD = flags.DEFINE_float('threshold', 0.5, 'As that of predict.', 0, 1)


def main() -> None:
    """Prints a line of JSON."""
    command_line.refuse_config()
    if _PHOTOS.value <= _NEIGHBORS.value:
        raise UserError(f'--photos={_PHOTOS.value}: must be more than --neighbors={_NEIGHBORS.value}')
    if not _LIKE.value:
        raise UserError('--like=FOLDER must be given: a folder with a folder of photos for each class')
    segmenter = segmenter_from_flags(0.5)
    shares = 1 / np.arange(1, _KINDS.value + 1) if _UNEQUAL.value else np.ones(_KINDS.value)
    like, labels = described(segmenter, _LIKE.value)
    embeddings = drawn(like, labels, _PHOTOS.value, shares / shares.sum(), _SPREAD.value, _SEED.value)
    print(json.dumps(measure(segmenter, embeddings, _NEIGHBORS.value, _THRESHOLD.value)))


def described(
    segmenter: CoSegmenter, folder: str
) -> tuple[Float32[np.ndarray, 'n 64'], Int[np.ndarray, ' n']]:
    """Embeddings of photos, spread over a folder, and the numbers of their classes."""
    photos = collection.find([folder]).photos
    photos = photos[:: -(-len(photos) // LOOKED_AT)]
    embeddings = [one.embedding for one in segmenter.describe(photo.path for photo in photos)]
    classes = [photo.path.parent.name for photo in photos]
    return np.stack(embeddings), np.unique(classes, return_inverse=True)[1]


def drawn(
    like: Float32[np.ndarray, 'n 64'],
    labels: Int[np.ndarray, ' n'],
    count: int,
    shares: Float64[np.ndarray, ' kinds'],
    spread: float,
    seed: int,
) -> Float32[np.ndarray, 'count 64']:
    """Embeddings of some kinds, in the directions in which those of photos differ."""
    means = np.stack([like[labels == label].mean(0) for label in range(labels.max() + 1)])
    inside = like - means[labels]
    rng, origin = np.random.default_rng(seed), np.zeros(means.shape[1])
    centers = FARTHER * rng.multivariate_normal(origin, np.cov(means.T), len(shares), method='svd')
    inside = spread * rng.multivariate_normal(origin, np.cov(inside.T), count, method='svd')
    embeddings = means.mean(0) + centers[rng.choice(len(shares), count, p=shares)] + inside
    if np.allclose(np.linalg.norm(like, axis=1), 1, atol=1e-3):
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return embeddings.astype(np.float32)


def measure(
    segmenter: CoSegmenter, embeddings: Float32[np.ndarray, 'n 64'], neighbors: int, threshold: float
) -> Row:
    """Everything from embeddings to groups, once."""
    segmenter.decide_some(embeddings, np.zeros((1, 2), int))  # is compiled now
    segmenter.decide(embeddings[:1])
    times = [time.perf_counter()]
    pairs = candidates(embeddings, neighbors)
    times.append(time.perf_counter())
    probabilities = segmenter.decide_some(embeddings, pairs)
    times.append(time.perf_counter())
    found = group_near(embeddings, probabilities, segmenter.network, segmenter.decide, threshold)
    times.append(time.perf_counter())
    memory = timing.peak_memory_gib()
    search_s, decide_s, group_s = np.diff(times).tolist()
    every = group(segmenter.decide(embeddings), threshold) if len(embeddings) <= COMPARED else None
    return {
        'photos': len(embeddings),
        'neighbors': neighbors,
        'pairs': len(pairs),
        'search_s': search_s,
        'decide_s': decide_s,
        'group_s': group_s,
        'peak_memory_gib': memory,
        'recall': recall(embeddings, pairs, neighbors),
        'groups': len(found.groups),
        'largest': len(found.groups[0]) if found.groups else 0,
        'outliers': len(found.outliers),
        'groups_of_all_pairs': len(every.groups) if every else None,
        'agreement': agreement(found, every) if every else None,
    }


def recall(embeddings: Float32[np.ndarray, 'n 64'], pairs: Int[np.ndarray, 'p 2'], neighbors: int) -> float:
    """Share of the true nearest of some photos that are among the pairs."""
    count = len(embeddings)
    numbers = pairs @ [count, 1]  # rising
    squares = (embeddings**2).sum(1)
    probes = np.random.default_rng(0).choice(count, min(PROBES, count), replace=False)
    hits = 0
    for probe in probes:
        distances = squares - 2 * embeddings @ embeddings[probe]
        distances[probe] = np.inf
        nearest = np.argpartition(distances, neighbors)[:neighbors]
        wanted = np.minimum(nearest, probe) * count + np.maximum(nearest, probe)
        hits += np.isin(wanted, numbers, assume_unique=True).sum()
    return float(hits / (len(probes) * neighbors))


def agreement(ours: Groups, theirs: Groups) -> float:
    """Pairs of photos that are together in both, over those that are in either."""
    first, second = (
        {member: number for number, some in enumerate(found.groups) for member in some}
        for found in (ours, theirs)
    )
    shared = Counter((first[member], second[member]) for member in first.keys() & second.keys())
    in_first, in_second, in_both = (
        sum(size * (size - 1) for size in sizes)
        for sizes in (map(len, ours.groups), map(len, theirs.groups), shared.values())
    )
    return in_both / max(in_first + in_second - in_both, 1)


if __name__ == '__main__':
    command_line.start(main)
