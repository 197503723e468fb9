"""From weights and images to scores: describe each image once, decide every pair, score."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from cosegnet_jax import models
from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation.protocol import Protocol, Results, evaluate
from cosegnet_jax.models import apply
from cosegnet_jax.training import checkpoints


@dataclasses.dataclass(frozen=True)
class Predictions:
    """What the network makes of a set of images."""

    masks: Bool[np.ndarray, 'n h w']  # thresholded, before the gate
    decisions: Float32[np.ndarray, 'n n']  # probability that two images share an object


def predict(config: Config, params: Any, examples: Examples, mesh: jax.sharding.Mesh) -> Predictions:
    """Masks of all images and decisions of all pairs."""
    graph = models.graph(config.model)
    settings = config.evaluation
    masks, embeddings = apply.describe(graph, params, examples.images, settings.batch_images, mesh)
    return Predictions(
        masks >= settings.mask_threshold, apply.decide(graph, params, embeddings, settings.symmetric)
    )


def score(config: Config, predictions: Predictions, examples: Examples) -> Results:
    """Figures under the configured protocol."""
    settings = config.evaluation
    protocol = Protocol(
        image_size=config.image_size,
        mask_threshold=settings.mask_threshold,
        decision_threshold=settings.decision_threshold,
        empty_truth=settings.empty_truth,
        symmetric=settings.symmetric,
        seed=config.seed,
        split=config.data.split,
    )
    return evaluate(examples, predictions.masks, predictions.decisions, protocol)


def validate(
    config: Config, params: Any, examples: Examples, mesh: jax.sharding.Mesh
) -> tuple[dict[str, float], UInt8[np.ndarray, 'height width 3']]:
    """Scalars and a picture for the log of a training run."""
    predictions = predict(config, params, examples, mesh)
    results = score(config, predictions, examples)
    scalars = {
        checkpoints.SCORE: results.overall.jaccard,
        'validation_jaccard_ungated': results.overall.jaccard_ungated,
        'validation_precision': results.overall.precision,
        'validation_balanced_accuracy': results.decision.balanced_accuracy,
        'validation_auc': results.decision.auc,
    }
    return scalars, _picture(examples, predictions.masks)


def _picture(
    examples: Examples, masks: Bool[np.ndarray, 'n h w'], columns: int = 8
) -> UInt8[np.ndarray, 'height width 3']:
    """A few images from over the whole part; under each its truth and its mask."""
    chosen = np.linspace(0, len(examples) - 1, min(columns, len(examples))).astype(int)
    grey = [np.repeat(m[chosen, :, :, None].astype(np.uint8) * 255, 3, -1) for m in (examples.masks, masks)]
    return np.concatenate([np.concatenate(list(row), 1) for row in (examples.images[chosen], *grey)])
