"""Evaluation of a finished run: figures, pictures and a page from one checkpoint."""

from __future__ import annotations

from pathlib import Path

from cosegnet_jax import data, records
from cosegnet_jax import mesh as meshes
from cosegnet_jax.config import Config
from cosegnet_jax.evaluation import pictures, report, samples
from cosegnet_jax.evaluation.published import published_rows
from cosegnet_jax.evaluation.results import to_json, write_json
from cosegnet_jax.evaluation.tables import format_tables
from cosegnet_jax.evaluation.validate import predict, score
from cosegnet_jax.training import checkpoints

SHOWN_POSITIVE, SHOWN_NEGATIVE = 3, 2  # pairs in the picture, drawn at random


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
    document = to_json(results, split=part, step=step, published=published)
    write_json(workdir / 'eval' / 'results.json', document)
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
