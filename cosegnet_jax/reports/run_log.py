"""A line of JSON for every run: how to train it again, how far it came, and its scores."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cosegnet_jax.evaluation.published_protocols import SCORES
from cosegnet_jax.reports import finished_runs
from cosegnet_jax.reports.finished_runs import Evaluated
from cosegnet_jax.runtime import files
from cosegnet_jax.training import run_files
from cosegnet_jax.training.checkpoints import SCORE

_VALIDATION = SCORE.removesuffix('score')  # prefix of scalars of validations
_OF_DECISIONS = ('balanced_accuracy', 'auc')


def write(folders: Iterable[Path], file: Path) -> None:
    """List every run at or below folders, stopped and failed ones included.

    Raises:
        UserError: A file of a run is damaged or of another version.
    """
    lines = [json.dumps(_entry(workdir), allow_nan=False) for workdir in _begun(folders)]
    with files.write_atomically(file) as unfinished:
        unfinished.write_text(''.join(f'{line}\n' for line in lines), encoding='utf-8')


def _begun(folders: Iterable[Path]) -> list[Path]:
    """Find the folders of runs, sorted, each once."""
    found: dict[Path, Path] = {}
    for folder in folders:
        for file in folder.glob(f'**/{run_files.METRICS}'):
            if (file.parent / run_files.CONFIG).is_file():
                found.setdefault(file.parent.resolve(), file.parent)
    return sorted(found.values())


def _entry(workdir: Path) -> dict[str, Any]:
    config, scalars = run_files.read_config(workdir), run_files.read(workdir)
    return {
        'run': str(workdir),
        'command': finished_runs.command(config),
        'seed': config.seed,
        'split': config.data.split,
        'steps': max((record['step'] or 0 for record in scalars), default=0),
        'of_steps': config.train.last_step,
        'validation': _best(scalars),
        'scores': [_score(evaluated) for evaluated in finished_runs.of_run(workdir)],
    }


def _best(scalars: list[run_files.Record]) -> run_files.Record | None:
    """Select the scalars of the best validation; None where there was none."""
    validated = [record for record in scalars if SCORE in record]
    if not validated:
        return None

    def score(record: run_files.Record) -> float:
        value = record[SCORE]
        return -math.inf if value is None else value

    best = max(validated, key=score)
    return {
        name.removeprefix(_VALIDATION): value
        for name, value in best.items()
        if name == 'step' or name.startswith(_VALIDATION)
    }


def _score(evaluated: Evaluated) -> dict[str, Any]:
    document = evaluated.document
    return {
        'dataset': evaluated.dataset,
        'part': evaluated.part,
        'protocol': evaluated.protocol,
        'step': document['step'],
        **{name: document[name] for name in SCORES},
        **{name: document['decision'][name] for name in _OF_DECISIONS},
    }
