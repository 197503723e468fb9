"""Files of a run besides checkpoints: WORKDIR/config.json, and scalars in WORKDIR/metrics.jsonl."""

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

# Prefixes of keys that change neither the weights of a run nor which checkpoint is scored.
WITHOUT_EFFECT = (
    'config.train.log_every_steps',
    'config.train.save_every_steps',
    'config.evaluation.',
    'config.data.placement',
    'config.data.prepared_dir',
    'config.data.memory_gib',
)
# Prefixes of keys that may change when a run resumes: also when it is validated, and how long it lasts.
CHANGEABLE = (
    *WITHOUT_EFFECT,
    'config.train.eval_every_steps',
    'config.train.stop_after_evals',
    'config.train.heads_steps',
)

Record = dict[str, Any]  # 'step', and the numbers that were measured at it; None where undefined


def path(workdir: Path) -> Path:
    """Return the file of the scalars."""
    return workdir / METRICS


def read(workdir: Path) -> list[Record]:
    """Read the records so far, without a last line that was cut off while being written."""
    file = path(workdir)
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith('\n')]


def write_config(workdir: Path, config: Config) -> None:
    """Write all keys of a run with their values."""
    with files.write_atomically(workdir / CONFIG) as file:
        file.write_text(json.dumps(dataclasses.asdict(config), indent=1) + '\n', encoding='utf-8')


def read_config(workdir: Path) -> Config:
    """Read the config of a run.

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
