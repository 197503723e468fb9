"""Evaluation of a run: scores, pictures and a page from one checkpoint."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import jax

from cosegnet_jax import data
from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation import pair_samples
from cosegnet_jax.evaluation.published import published_rows
from cosegnet_jax.evaluation.results import result_name, to_json, write_json
from cosegnet_jax.evaluation.scoring import predict, score, segment_pairs
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.reports.figures import figure_data, pair_pictures, pair_views
from cosegnet_jax.reports.finished_runs import MODELS
from cosegnet_jax.reports.pages import run_page
from cosegnet_jax.reports.tables.score_tables import format_tables
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import checkpoints, run_files
from cosegnet_jax.training.training_images import TrainedOn

PICTURED_POSITIVE, PICTURED_NEGATIVE = 3, 2  # of the pairs drawn at random


def evaluate_run(config: Config, workdir: Path, step: int | None) -> str:
    """Score a checkpoint of a run, and write to its folder as `evaluate` does.

    Args:
        config: As of `evaluate`.
        workdir: Folder of the run.
        step: Which checkpoint; None for the best by validation.

    Raises:
        UserError: No such checkpoint, or the data cannot be used.
    """
    network = checkpoints.load_network(workdir, config, meshes.data_mesh(), step)
    return evaluate(config, network, workdir, checkpoints.load_trained_on(workdir, network.step))


def evaluate(config: Config, network: TrainedNetwork, workdir: Path, trained_on: TrainedOn | None) -> str:
    """Score a network; write eval/ and report.html in `workdir`.

    results.json and pairs.png in eval/ belong to the latest evaluation. The files behind tables and figures
    are kept for each data set, part and protocol.

    Args:
        config: Must describe the network; data set, part and protocol may be others.
        network: What is scored.
        workdir: Folder for the results.
        trained_on: Photos that the network has seen; None where that is not known.

    Returns:
        The scores as a table for the terminal; '' where another process writes it.

    Raises:
        UserError: The data cannot be used, or the network was trained on some of them.
    """
    network = network.with_dtype(config.model.dtype)
    config = dataclasses.replace(config, image_size=config.scored_size)
    part, folder = config.evaluation.part, workdir / 'eval'
    examples = data.part(data.load(config), config, part)
    if trained_on is None:
        _check_another_set(network, examples, config)
    seen = None if trained_on is None else trained_on.check_unseen(examples, config)
    predictions = predict(config, network, examples)
    results = score(config, predictions, examples)
    chosen = pair_samples.choose(examples, predictions, results.protocol, config.seed)
    pairs = pair_views.load(
        examples,
        chosen,
        segment=functools.partial(segment_pairs, config, network, examples),
        threshold=config.evaluation.decision_threshold,
    )
    if jax.process_index():
        return ''

    published = published_rows(config.data.name, Path(config.data.root).name)
    document = to_json(results, split=part, network=network, seen=seen, published=published)
    write_json(folder / 'results.json', document)
    drawn = [*pairs.positive[:PICTURED_POSITIVE], *pairs.negative[:PICTURED_NEGATIVE]]
    pair_pictures.write_pairs(folder / 'pairs.png', drawn)
    run_page.write_report(
        workdir / 'report.html',
        title=f'{MODELS[config.model.name]} on {examples.name} ({part}), step {network.step}',
        results=results,
        views=pairs,
        seed=config.seed,
        curves=run_files.read(workdir),
        published=published,
    )
    name = result_name(examples.name, part, results.protocol.name)
    figure_data.save(folder / f'{name}.npz', pairs, predictions.embedding, examples.labels, examples.classes)
    write_json(folder / f'{name}.json', document)  # last: where it is, the evaluation is complete
    return f'{format_tables(results, published)}\nOpen {workdir}/report.html to see them.'


def _check_another_set(network: TrainedNetwork, examples: Examples, config: Config) -> None:
    """Refuse what an exported network must have seen; which photos exactly it does not say.

    Raises:
        UserError: The set has the name of the one that it was trained on, and all of it is asked for.
    """
    if examples.name == network.dataset and config.evaluation.part == 'all':
        raise UserError(
            f'{examples.name}: the network was trained on photos of this set: score the test part, with '
            f'--config.evaluation.part=test'
        )
