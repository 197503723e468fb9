"""Variants of a config on several splits, trained and evaluated one after another in one process."""

from __future__ import annotations

import dataclasses
import functools
import runpy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax

from cosegnet_jax.config import Config, check_key, resolve
from cosegnet_jax.evaluation.results import result_name
from cosegnet_jax.evaluation.scoring import protocol_of, validate
from cosegnet_jax.reports import finished_runs as finished
from cosegnet_jax.reports.run_evaluation import evaluate_run
from cosegnet_jax.runtime import compilation_cache
from cosegnet_jax.runtime.errors import Stopped, UserError, printable
from cosegnet_jax.training import loop, run_identity

Changes = Mapping[str, Any]  # values by key, such as 'model.tap'


@dataclasses.dataclass(frozen=True)
class Run:
    """One variant on one split."""

    name: str  # of its folder, such as 'cT3/split0'
    config: Config


def variants_of(file: Path) -> dict[str, Changes]:
    """Read the `VARIANTS` of a config file by name; a file without any is its only variant."""
    return runpy.run_path(str(file)).get('VARIANTS', {file.stem: {}})


def plan(config: Config, variants: Mapping[str, Changes], splits: int) -> list[Run]:
    """List every variant on `splits` splits, starting with `config.data.split`.

    Runs are ordered by split, so that a sweep that is cut short compares all variants on the same splits.

    Raises:
        UserError: A variant changes a key that does not exist, or to a wrong value.
    """
    first = config.data.split
    return [
        Run(f'{name}/split{split}', _changed(config, {**changes, 'data.split': split}))
        for split in range(first, first + splits)
        for name, changes in variants.items()
    ]


def sweep(
    runs: Sequence[Run],
    workdir: Path,
    also: Sequence[str] = (),
    train: Callable[[Config, Path, loop.Validate], None] = loop.train,
    evaluate: Callable[[Config, Path, None], str] = evaluate_run,
) -> None:
    """Train and evaluate the runs that are not finished in `workdir`, each in its own folder.

    A run that fails is reported, and the next one starts.

    Args:
        runs: From `plan`.
        workdir: Folder of the sweep.
        also: Prepared sets on which each run is scored as a whole, besides its own test part.
        train: Trains or resumes a run.
        evaluate: Scores a run.

    Raises:
        UserError: A finished run has another config, so that none is started; or some failed.
        Stopped: Ctrl-C or SIGTERM asked for it.
    """
    _share_compilations(workdir / '.compiled')
    left = [_left_to_score(run, workdir / run.name, also) for run in runs]
    failed = []
    for number, (run, configs) in enumerate(zip(runs, left, strict=True), 1):
        title, folder = f'{run.name} ({number} of {len(runs)})', workdir / run.name
        if not configs:
            print(f'{title}: finished before')
            continue
        print(title)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            train(run.config, folder, validate)
            for config in configs:
                print(evaluate(config, folder, None))
        except Stopped:
            raise
        except UserError as error:
            print(printable(f'{title} failed: {error}'))
            failed.append(run.name)
    if failed:
        raise UserError(f'failed: {", ".join(failed)}; the reasons are above, the same command tries again')


def _left_to_score(run: Run, folder: Path, also: Sequence[str]) -> list[Config]:
    """List the configs of the run's own test part and the sets of `also` that are not scored yet."""
    others = [
        _changed(run.config, {'data.name': name, 'data.root': '', 'evaluation.part': 'all'}) for name in also
    ]
    return [config for config in (run.config, *others) if not _is_scored(config, run.config, folder)]


def _is_scored(config: Config, trained: Config, folder: Path) -> bool:
    """Tell whether the scores of `config` exist, for weights that `trained` describes.

    Raises:
        UserError: The scores are of another training, or damaged.
    """
    settings = config.evaluation
    name = result_name(config.data.name, settings.part, settings.protocol)
    file = folder / 'eval' / f'{name}.json'  # written last, all or nothing
    if not file.is_file():
        return False
    run = finished.read(file)
    run_identity.check_same_run(run.config, trained, folder)
    # With a constant rate a run may be extended, and its heads trained alone afterwards.
    ran, wanted = ((c.train.steps, c.train.heads_steps) for c in (run.config, trained))
    return ran == wanted and protocol_of(config).as_dict().items() <= run.document['protocol'].items()


def _changed(config: Config, changes: Changes) -> Config:
    """Change some keys of a config.

    Raises:
        UserError: A key that does not exist, or a wrong value.
    """
    tree = dataclasses.asdict(config)
    for key, value in changes.items():
        check_key(f'config.{key}')
        *sections, last = key.split('.')
        functools.reduce(dict.__getitem__, sections, tree)[last] = value
    return resolve(tree)


def _share_compilations(folder: Path) -> None:
    """Has the splits of a variant compile once, unless JAX_COMPILATION_CACHE_DIR names a place for all."""
    if compilation_cache.folder_of_jax() is None:
        jax.config.update('jax_compilation_cache_dir', str(folder.absolute()))
