"""From weights and images to figures: describe each image once, decide every pair, score."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from cosegnet_jax import data, models, records
from cosegnet_jax import mesh as meshes
from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation import pictures, report, samples
from cosegnet_jax.evaluation import results as results_file
from cosegnet_jax.evaluation.protocol import Protocol, Results, evaluate
from cosegnet_jax.evaluation.published import published_rows
from cosegnet_jax.evaluation.tables import format_tables
from cosegnet_jax.models import apply
from cosegnet_jax.training import checkpoints

SHOWN_POSITIVE, SHOWN_NEGATIVE = 3, 1  # pairs in the picture, drawn by lot


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
        'validation_decision_accuracy': results.decision.balanced_accuracy,
        'validation_auc': results.decision.auc,
    }
    return scalars, _picture(examples, predictions.masks)


def evaluate_run(config: Config, workdir: Path, step: int | None) -> str:
    """Scores a checkpoint; writes eval/results.json, eval/pairs.png and report.html in `workdir`.

    Args:
        config: Must describe the network of the run; data set, part and protocol may be others.
        workdir: Folder of the run.
        step: Which checkpoint; None for the best by validation.

    Returns:
        The figures as a table for the terminal.

    Raises:
        UserError: No such checkpoint, or the data cannot be used.
    """
    mesh = meshes.data_mesh()
    step, params = checkpoints.load_params(workdir, config, mesh, step)
    part = config.evaluation.part
    examples = data.part(data.load(config), config, part)
    predictions = predict(config, params, examples, mesh)
    results = score(config, predictions, examples)
    published = published_rows(config.data.name, Path(config.data.root).name)
    document = results_file.to_json(results, split=part, step=step, published=published)
    results_file.write_json(workdir / 'eval' / 'results.json', document)
    report.write_report(
        workdir / 'report.html',
        title=f'CoSegNet on {examples.name} ({part}), step {step}',
        results=results,
        examples=examples,
        masks=predictions.masks,
        decisions=predictions.decisions,
        curves=records.read(workdir),
        published=published,
    )
    pictures.write_pairs(
        workdir / 'eval' / 'pairs.png',
        examples,
        predictions.masks,
        predictions.decisions,
        pairs=[
            *samples.draw_positive(examples, SHOWN_POSITIVE, config.seed),
            *samples.draw_negative(examples, SHOWN_NEGATIVE, config.seed),
        ],
        threshold=config.evaluation.decision_threshold,
    )
    return f'{format_tables(results, published)}\nwritten: {workdir}/eval and {workdir}/report.html'


def _picture(
    examples: Examples, masks: Bool[np.ndarray, 'n h w'], columns: int = 8
) -> UInt8[np.ndarray, 'height width 3']:
    """A few images from over the whole part; under each its truth and its mask."""
    chosen = np.linspace(0, len(examples) - 1, min(columns, len(examples))).astype(int)
    grey = [np.repeat(m[chosen, :, :, None].astype(np.uint8) * 255, 3, -1) for m in (examples.masks, masks)]
    return np.concatenate([np.concatenate(list(row), 1) for row in (examples.images[chosen], *grey)])
