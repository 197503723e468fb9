"""Time, memory and truth of deciding only some pairs, on embeddings like those of an evaluated run.

python benchmarks/large_collections.py --workdir=runs/shapes [--photos=10000] [--neighbors=20]

Prints a line of JSON. Embeddings are drawn from 100 kinds: Gaussians, their centers three times as far apart
as the classes of the images that eval.py has kept, and half as wide. `recall` is the share of the true
neighbors that are found. Up to 10,000 photos, `groups_of_all_pairs` are those of the table of all pairs, and
`agreement` is the share of the pairs that are together in one of the groupings which are so in both.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import numpy as np
from absl import flags
from jaxtyping import Float32, Int

from cosegnet_jax.benchmark import timing
from cosegnet_jax.benchmark.row import Row
from cosegnet_jax.cli import command_line
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.inference.grouping import Groups, group
from cosegnet_jax.inference.neighbors import candidates
from cosegnet_jax.inference.sparse_grouping import group_near
from cosegnet_jax.reports.figures import figure_data
from cosegnet_jax.runtime.errors import UserError

KINDS = 100
FARTHER, NARROWER = 3, 0.5  # than the classes are
COMPARED = 10_000  # photos that all pairs of are decided, too, which takes 3 GB
PROBES = 1000  # photos whose true neighbors are sought

_PHOTOS = flags.DEFINE_integer('photos', 10_000, 'Number of embeddings.', lower_bound=2)
_NEIGHBORS = flags.DEFINE_integer(
    'neighbors', 20, 'Compare each photo with N that look alike.', lower_bound=1
)
_THRESHOLD = flags.DEFINE_float('threshold', 0.5, 'As that of predict.', 0, 1)


def main() -> None:
    """Prints a line of JSON."""
    command_line.refuse_config()
    if _PHOTOS.value <= _NEIGHBORS.value:
        raise UserError(f'--photos={_PHOTOS.value}: must be more than --neighbors={_NEIGHBORS.value}')
    segmenter = CoSegmenter.from_pretrained(command_line.run_folder())
    embeddings = drawn(_evaluated(command_line.run_folder()), _PHOTOS.value)
    print(json.dumps(measure(segmenter, embeddings, _NEIGHBORS.value, _THRESHOLD.value)))


def _evaluated(workdir: Path) -> figure_data.FigureData:
    """What eval.py kept of the test part."""
    files = sorted((workdir / 'eval').glob('*-test-cosegnet.npz'))
    if not files:
        raise UserError(f'{workdir}: not evaluated yet; evaluate it with cosegnet eval')
    return figure_data.load(files[0])


def drawn(like: figure_data.FigureData, count: int) -> Float32[np.ndarray, 'n 64']:
    """Embeddings of 100 kinds, in the directions in which those that are evaluated differ."""
    labels, embedding = like.labels[:, 0], np.asarray(like.embedding)
    means = np.stack([embedding[labels == label].mean(0) for label in np.unique(labels)])
    inside = embedding - means[np.searchsorted(np.unique(labels), labels)]
    rng, origin = np.random.default_rng(0), np.zeros(means.shape[1])
    centers = FARTHER * rng.multivariate_normal(origin, np.cov(means.T), KINDS, method='svd')
    spread = NARROWER * rng.multivariate_normal(origin, np.cov(inside.T), count, method='svd')
    return (means.mean(0) + centers[rng.integers(KINDS, size=count)] + spread).astype(np.float32)


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
    found = group_near(embeddings, probabilities, segmenter.decide, threshold)
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
