"""What a run leaves besides checkpoints: WORKDIR/config.json, and its scalars in WORKDIR/metrics.jsonl."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from cosegnet_jax.config import Config, restore
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError

METRICS = 'metrics.jsonl'
CONFIG = 'config.json'

# Beginnings of keys that change neither the weights of a run nor which of them are scored.
WITHOUT_EFFECT = (
    'config.train.log_every_steps',
    'config.train.save_every_steps',
    'config.evaluation.',
    'config.data.placement',
    'config.data.prepared_dir',
    'config.data.memory_gib',
)
# Those that a run may change when it goes on: also when it is validated, and how long it lasts.
CHANGEABLE = (
    *WITHOUT_EFFECT,
    'config.train.eval_every_steps',
    'config.train.stop_after_evals',
    'config.train.heads_steps',
)

Record = dict[str, Any]  # 'step', and the numbers that were measured at it; None where undefined


def path(workdir: Path) -> Path:
    """The file that holds them."""
    return workdir / METRICS


def read(workdir: Path) -> list[Record]:
    """The records so far; a last line that was cut off while being written is left out."""
    file = path(workdir)
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith('\n')]


def write_config(workdir: Path, config: Config) -> None:
    """Says what the run is, all keys with their values."""
    with files.write_atomically(workdir / CONFIG) as file:
        file.write_text(json.dumps(dataclasses.asdict(config), indent=1) + '\n', encoding='utf-8')


def read_config(workdir: Path) -> Config:
    """The config of a run that has begun.

    Raises:
        UserError: The file is damaged, or of another version.
    """
    file = workdir / CONFIG
    try:
        return restore(dict(json.loads(file.read_text(encoding='utf-8'))))
    except (ValueError, TypeError) as error:
        raise UserError(f'{file}: not the config of a run; starting the run again writes it') from error
    except UserError as error:
        raise UserError(f'{file}: of another version of this program ({error})') from error
