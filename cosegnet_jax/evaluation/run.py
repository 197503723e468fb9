"""Evaluation of a finished run: figures, pictures and a page from one checkpoint."""

from __future__ import annotations

from pathlib import Path

from cosegnet_jax import data, records
from cosegnet_jax import mesh as meshes
from cosegnet_jax.config import Config
from cosegnet_jax.evaluation import pictures, report, samples, shown
from cosegnet_jax.evaluation.published import published_rows
from cosegnet_jax.evaluation.results import to_json, write_json
from cosegnet_jax.evaluation.tables import format_tables
from cosegnet_jax.evaluation.validate import measure, predict, score
from cosegnet_jax.training import checkpoints

PICTURED_POSITIVE, PICTURED_NEGATIVE = 3, 2  # of the pairs drawn at random


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
    step, params, trained_on = checkpoints.load_params(workdir, config, mesh, step)
    part = config.evaluation.part
    examples = data.part(data.load(config), config, part)
    trained_on.check_unseen(examples, config)
    measured = measure(config, params, examples, mesh)
    results = score(config, measured, examples)
    published = published_rows(config.data.name, Path(config.data.root).name)
    document = to_json(results, split=part, step=step, published=published)
    write_json(workdir / 'eval' / 'results.json', document)

    chosen = samples.choose(examples, measured.counts, measured.decide, results.protocol, config.seed)
    pairs = shown.load(
        examples,
        chosen,
        predict=lambda few: predict(config, params, few, mesh),
        decide=measured.decide,
        threshold=config.evaluation.decision_threshold,
    )
    report.write_report(
        workdir / 'report.html',
        title=f'CoSegNet on {examples.name} ({part}), step {step}',
        results=results,
        shown=pairs,
        seed=config.seed,
        curves=records.read(workdir),
        published=published,
    )
    drawn = [*pairs.positive[:PICTURED_POSITIVE], *pairs.negative[:PICTURED_NEGATIVE]]
    pictures.write_pairs(workdir / 'eval' / 'pairs.png', drawn)
    return f'{format_tables(results, published)}\nwritten: {workdir}/eval and {workdir}/report.html'
