"""Orbax checkpoints under WORKDIR/checkpoints: the last two and the best by validation score."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from absl import logging
from jax.sharding import Mesh
from orbax.checkpoint import checkpoint_managers as policies

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.config import Config
from cosegnet_jax.networks.image_network import ImageNetwork
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.runtime.errors import UserError, first_line
from cosegnet_jax.training import storage_threads
from cosegnet_jax.training.calibration import Calibration, calibrated
from cosegnet_jax.training.run_identity import check_same_network
from cosegnet_jax.training.state import State, abstract_params, scored
from cosegnet_jax.training.training_images import TrainedOn

# The metric of the best checkpoint and of early stopping: the mean of gated and ungated Jaccard. The gated
# one alone is 0 while the gate is shut, and would stop a run whose masks still improve.
SCORE = 'validation_score'


def folder(workdir: Path) -> Path:
    """Return the folder of a run's checkpoints."""
    return workdir.absolute() / 'checkpoints'


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence Orbax, which warns of read-only use although it was asked for."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


@_quiet()
def manager(workdir: Path, read_only: bool = False) -> ocp.CheckpointManager:
    """Open the checkpoints of a run; closing them waits for the last save.

    Saves happen in the background; a checkpoint appears when it is complete.

    Raises:
        UserError: The folder cannot be written, or what is in it cannot be understood.
    """

    def score(metrics: dict[str, float]) -> float:
        return metrics.get(SCORE, -math.inf)  # saved between two evaluations

    storage_threads.silence()
    if read_only:
        options = ocp.CheckpointManagerOptions(best_fn=score, step_prefix='step', read_only=True)
    else:
        keep = [policies.LatestN(2), policies.BestN(get_metric_fn=score, n=1)]
        options = ocp.CheckpointManagerOptions(
            best_fn=score,
            preservation_policy=policies.AnyPreservationPolicy(keep),
            save_decision_policy=policies.FixedIntervalPolicy(1),  # the loop says when
            step_prefix='step',
        )
    try:
        return ocp.CheckpointManager(folder(workdir), options=options)
    except (OSError, ValueError) as error:
        problem = f'cannot be used ({summarize(error)})'
        for scores in sorted(folder(workdir).glob('step_*/metrics/metrics')):  # read of every checkpoint
            with contextlib.suppress(OSError):
                if not _is_json(scores.read_bytes()):
                    raise UserError(f'{scores.parents[1]}: {problem}; delete that folder') from error
        raise UserError(f'{folder(workdir)}: {problem}; name another --workdir') from error


def save(
    manager: ocp.CheckpointManager,
    state: State,
    config: Config,
    trained_on: TrainedOn,
    score: float | None,
    fitted: Calibration | None = None,
) -> None:
    """Save parameters, optimizer state, step, config and training images.

    `score` is that of the validation part, if known; `fitted` belongs to the parameters that are scored.
    """
    arrays = {'params': scored(state), 'optimizer': state.optimizer}
    if state.average is not None:
        arrays['learning'] = state.params
    described = {'config': dataclasses.asdict(config), 'trained_on': trained_on._asdict()}
    if fitted:
        described['calibration'] = fitted._asdict()
    metrics = {SCORE: score} if score is not None and math.isfinite(score) else {}
    checksums = {name: _checksum(value) for name, value in [*described.items(), ('metrics', metrics)]}
    checksums |= {name: _checksum_of_arrays(tree) for name, tree in arrays.items()}
    manager.save(
        int(state.step),
        args=ocp.args.Composite(
            **{name: ocp.args.StandardSave(tree) for name, tree in arrays.items()},
            **{name: ocp.args.JsonSave(value) for name, value in described.items()},
            checksums=ocp.args.JsonSave(checksums),
        ),
        metrics=metrics,
    )


def config_of(manager: ocp.CheckpointManager, step: int) -> Config:
    """Read the config of the checkpoint of `step`.

    Raises:
        UserError: The checkpoint is damaged, or of another version.
    """
    return configs.restore(_read_json(manager, step, 'config'))


def trained_on_of(manager: ocp.CheckpointManager, step: int) -> TrainedOn:
    """Read which images the checkpoint of `step` was trained on.

    Raises:
        UserError: The checkpoint is damaged, or of another version.
    """
    found = _read_json(manager, step, 'trained_on')
    try:
        return TrainedOn(**found)
    except TypeError as error:
        raise UserError(
            f'{_place(manager, step)}: its list of training images is damaged; delete that folder'
        ) from error


def restore(manager: ocp.CheckpointManager, step: int, like: State) -> State:
    """Read the state at `step`, with the shardings of `like` (from `state.abstract`).

    Raises:
        UserError: The checkpoint is damaged, or of another network.
    """
    likes = {'params': like.params, 'optimizer': like.optimizer}
    if like.average is not None:
        likes['learning'] = like.params
    saved = _read_arrays(manager, step, **likes)
    number = jax.device_put(np.int32(step), like.step.sharding)
    if like.average is None:
        return State(number, saved['params'], saved['optimizer'])
    return State(number, saved['learning'], saved['optimizer'], saved['params'])


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


def _checksum(value: Any) -> str:
    """Compute a checksum of JSON; Orbax keeps none of its own."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _checksum_of_arrays(tree: Any) -> str:
    """Compute a checksum of arrays, each whole on every device; Orbax notices some of their damages only."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        digest.update(np.asarray(leaf).tobytes())
    return digest.hexdigest()


def _read_json(manager: ocp.CheckpointManager, step: int, name: str) -> Any:
    saved = _read(manager, step, **{key: ocp.args.JsonRestore() for key in (name, 'checksums')})
    found, checksums = saved[name], saved['checksums']
    if not isinstance(checksums, dict) or checksums.get(name) != _checksum(found):
        raise UserError(f'{_place(manager, step)}: its {name} is damaged; delete that folder')
    return found


def _read_arrays(manager: ocp.CheckpointManager, step: int, **likes: Any) -> Any:
    """Read trees of arrays by name, with the shapes and shardings of others."""
    restored = {name: ocp.args.StandardRestore(like) for name, like in likes.items()}
    saved = _read(manager, step, checksums=ocp.args.JsonRestore(), **restored)
    for name in likes:
        expected = saved['checksums'].get(name)  # an earlier checkpoint has none
        if expected is not None and expected != _checksum_of_arrays(saved[name]):
            raise UserError(f'{_place(manager, step)}: its {name} is damaged; delete that folder')
    return saved


def _best_step(manager: ocp.CheckpointManager) -> int | None:
    """Find the step with the best validation score, or the last where none was validated."""
    for step in manager.all_steps():
        saved = _read(manager, step, checksums=ocp.args.JsonRestore())
        expected = saved['checksums'].get('metrics')  # an earlier checkpoint has none
        if expected is not None and expected != _checksum(manager.metrics(step) or {}):
            raise UserError(f'{_place(manager, step)}: its score is damaged; delete that folder')
    return manager.best_step()


def _place(manager: ocp.CheckpointManager, step: int) -> Path:
    return Path(manager.directory) / f'step_{step}'


def _read(manager: ocp.CheckpointManager, step: int, **args: ocp.args.CheckpointArgs):
    try:
        return manager.restore(step, args=ocp.args.Composite(**args))
    except Exception as error:  # whatever a storage library may find wrong with the bytes
        path = _place(manager, step)
        others = ', '.join(str(s) for s in sorted(manager.all_steps()) if s != step) or 'none'
        raise UserError(
            f'{path}: cannot be restored ({summarize(error)}); '
            f'delete that folder to go on from another step (there: {others})'
        ) from error


def summarize(error: Exception) -> str:
    """Return the first line of an error, or its type where it has no text."""
    return first_line(error) or type(error).__name__


def load_network(workdir: Path, config: Config | None, mesh: Mesh, step: int | None) -> TrainedNetwork:
    """Load the network of a run, for evaluation or prediction, without the optimizer's state.

    Args:
        workdir: Folder of the run.
        config: Must describe the network of the checkpoint; None accepts any.
        mesh: Devices that each get all weights.
        step: Step of the checkpoint; None is the best by validation, or the last where none was validated.

    Raises:
        UserError: There is no such checkpoint, or it is damaged or of another network.
    """
    where = folder(workdir)
    if not where.is_dir():
        raise UserError(
            f'{workdir}: no checkpoints in it; train first: cosegnet train --config=… --workdir={workdir}'
        )
    with manager(workdir, read_only=True) as checkpoints:
        steps = sorted(checkpoints.all_steps())
        if not steps:
            raise UserError(f'{where}: no finished checkpoint in it yet')
        if step is None:
            step = _best_step(checkpoints)
        if step is None or step not in steps:
            raise UserError(f'{where}: no checkpoint of step {step}; there are {", ".join(map(str, steps))}')
        saved = config_of(checkpoints, step)
        if config is not None:
            check_same_network(saved, config, where / f'step_{step}')
        params = _read_arrays(checkpoints, step, params=abstract_params(saved.model, mesh))['params']
        seen = trained_on_of(checkpoints, step)
        network = networks.trained(
            saved, params, mesh, step=step, dataset=seen.name, images=len(seen.filenames)
        )
        if isinstance(network, ImageNetwork) and (_place(checkpoints, step) / 'calibration').exists():
            fitted = Calibration(**_read_json(checkpoints, step, 'calibration'))
            network = calibrated(network, fitted)
        return network


def load_trained_on(workdir: Path, step: int) -> TrainedOn:
    """Read which images the network of a run was trained on.

    Raises:
        UserError: The checkpoint is damaged, or of another version.
    """
    with manager(workdir, read_only=True) as checkpoints:
        return trained_on_of(checkpoints, step)
