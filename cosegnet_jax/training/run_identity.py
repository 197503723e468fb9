"""Whether two configs describe the same run, or the same network."""

from __future__ import annotations

import dataclasses
import operator
from pathlib import Path

from cosegnet_jax.config import Config
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import run_files


def check_same_run(saved: Config, now: Config, workdir: Path) -> None:
    """Refuse to resume a run with another config than it started with.

    Raises:
        UserError: Naming the first key that differs.
    """
    length = ('config.train.steps',) if now.optimizer.schedule == 'constant' else ()  # a cosine depends on it
    free = (*run_files.CHANGEABLE, *length)
    before, after = dict(_flat(dataclasses.asdict(saved))), dict(_flat(dataclasses.asdict(now)))
    for key, value in after.items():
        if before[key] != value and not key.startswith(free):
            raise UserError(
                f'{workdir} holds a run with {key}={before[key]}, not {value}: '
                f'give another --workdir, or the same value'
            )


def check_same_network(saved: Config, now: Config, path: Path) -> None:
    """Refuse a checkpoint of another network or image size, or another split of its own data set.

    Raises:
        UserError: Naming the first key that differs.
    """
    keys = ['model.name', 'model.encoder', 'model.tap', 'model.width', 'image_size']
    if saved.data.name == now.data.name:
        keys += ['seed', 'data.split', 'data.split_file', 'data.images_per_class']
    for key in keys:
        theirs, ours = (operator.attrgetter(key)(config) for config in (saved, now))
        if theirs != ours:
            raise UserError(
                f'{path} holds a network with config.{key}={theirs}, not {ours}: '
                f'set that key to {theirs}, or leave --config out'
            )


def _flat(tree: dict, prefix: str = 'config'):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f'{prefix}.{key}')
        else:
            yield f'{prefix}.{key}', value
