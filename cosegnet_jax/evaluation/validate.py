"""From weights and images to scores: describe each image once, decide every pair, score."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from cosegnet_jax import models
from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation.counts import Counts, concatenate, count, count_baselines
from cosegnet_jax.evaluation.pairs import Decide
from cosegnet_jax.evaluation.protocol import Protocol, Results, evaluate
from cosegnet_jax.models import apply
from cosegnet_jax.training import checkpoints

IN_PICTURE = 8  # images


@dataclasses.dataclass(frozen=True, eq=False)
class Measured:
    """What is kept of a set of images: some numbers each, and no mask."""

    counts: Counts
    baselines: dict[str, Counts]
    decide: Decide


def protocol_of(config: Config) -> Protocol:
    """The configured protocol."""
    settings = config.evaluation
    return Protocol(
        image_size=config.image_size,
        name=settings.protocol,
        mask_threshold=settings.mask_threshold,
        decision_threshold=settings.decision_threshold,
        empty_truth=settings.empty_truth,
        symmetric=settings.symmetric,
        seed=config.seed,
        split=config.data.split,
        split_file=config.data.split_file,
    )


def measure(config: Config, params: Any, examples: Examples, mesh: jax.sharding.Mesh) -> Measured:
    """Describes every image once, and counts the pixels of its mask."""
    graph, objects = models.graph(config.model), examples.labels.shape[1]
    counts, embeddings = [], []
    baselines = {}
    for rows, masks, embedding in _describe(config, params, examples, mesh):
        truth = np.asarray(examples.masks[rows])
        counts.append(count(masks, truth, objects))
        embeddings.append(embedding)
        for name, of_batch in count_baselines(truth, objects).items():
            baselines.setdefault(name, []).append(of_batch)
    described = np.concatenate(embeddings)

    def decide(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        symmetric = config.evaluation.symmetric
        return apply.decide(graph, params, described[rows], described[columns], symmetric, mesh)

    joined = {name: concatenate(parts) for name, parts in baselines.items()}
    return Measured(concatenate(counts), joined, decide)


def predict(
    config: Config, params: Any, examples: Examples, mesh: jax.sharding.Mesh
) -> Bool[np.ndarray, 'n h w']:
    """Thresholded masks before the gate, of examples so few that they fit into memory."""
    return np.concatenate([masks for _, masks, _ in _describe(config, params, examples, mesh)])


def score(config: Config, measured: Measured, examples: Examples) -> Results:
    """Figures under the configured protocol."""
    return evaluate(examples, measured.counts, measured.baselines, measured.decide, protocol_of(config))


def validate(
    config: Config, params: Any, examples: Examples, mesh: jax.sharding.Mesh
) -> tuple[dict[str, float], UInt8[np.ndarray, 'height width 3']]:
    """Scalars and a picture for the log of a training run."""
    results = score(config, measure(config, params, examples, mesh), examples)
    scalars = {
        checkpoints.SCORE: results.overall.jaccard,
        'validation_jaccard_ungated': results.overall.jaccard_ungated,
        'validation_precision': results.overall.precision,
        'validation_balanced_accuracy': results.decision.balanced_accuracy,
        'validation_auc': results.decision.auc,
    }
    over_all = np.linspace(0, len(examples) - 1, min(IN_PICTURE, len(examples))).astype(int)
    chosen = examples.subset(over_all)
    return scalars, _picture(chosen, predict(config, params, chosen, mesh))


def _describe(
    config: Config, params: Any, examples: Examples, mesh: jax.sharding.Mesh
) -> Iterator[tuple[slice, Bool[np.ndarray, 'b h w'], Float32[np.ndarray, 'b 64']]]:
    """Rows, masks and embeddings, batch by batch."""
    protocol, size = protocol_of(config), config.evaluation.batch_images
    batches = [slice(start, start + size) for start in range(0, len(examples), size)]
    photos = (np.asarray(examples.images[rows]) for rows in batches)
    described = apply.describe(models.graph(config.model), params, photos, size, mesh)
    for rows, (probability, embedding) in zip(batches, described, strict=True):
        yield rows, protocol.preset.masks(probability, protocol.mask_threshold), embedding


def _picture(examples: Examples, masks: Bool[np.ndarray, 'n h w']) -> UInt8[np.ndarray, 'height width 3']:
    """The images side by side; under each its true objects and its mask."""
    objects = np.asarray(examples.masks) > 0
    grey = [np.repeat(m[..., None].astype(np.uint8) * 255, 3, -1) for m in (objects, masks)]
    return np.concatenate([np.concatenate(list(row), 1) for row in (np.asarray(examples.images), *grey)])
