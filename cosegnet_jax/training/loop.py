"""The training loop: from the first step, or from the last checkpoint, to the last step."""

from __future__ import annotations

import dataclasses
import math
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from jax.sharding import Mesh
from jaxtyping import Float32, UInt8

from cosegnet_jax import data, networks
from cosegnet_jax.config import Config
from cosegnet_jax.data import placement
from cosegnet_jax.data.augmentation import augment
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.masks.object_shares import describe_shares
from cosegnet_jax.data.stored_images import Stored
from cosegnet_jax.networks.image_network import ImageNetwork, PartnerNetwork
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import Stopped, UserError, printable
from cosegnet_jax.training import (
    calibration,
    checkpoints,
    heads_phase,
    optimizer,
    part_rates,
    partner_phase,
    run_files,
    run_identity,
    state,
    step,
    views,
)
from cosegnet_jax.training.log import Log
from cosegnet_jax.training.state import Beginning
from cosegnet_jax.training.training_images import TrainedOn

# `(config, network, validation part) -> (scalars, picture)`; the scalars hold checkpoints.SCORE.
Validate = Callable[[Config, TrainedNetwork, Examples], tuple[dict[str, float], UInt8[np.ndarray, 'h w 3']]]
Begin = Callable[[Config, Mesh], Beginning]  # reads what `config.model.weights` names


def train(config: Config, workdir: Path, validate: Validate, begin: Begin = state.published) -> None:
    """Train to the last step; resume from the last checkpoint in `workdir` if there is one.

    The last step is number `config.train.steps`, or `config.train.heads_steps` after it (`heads_phase`).

    A run that was killed and resumed ends with the same parameters as one that was not, because all random
    draws are functions of the seed and the step. They are equal bit for bit where the devices add in the same
    order, as equally many CPU devices do.

    Args:
        config: The experiment.
        workdir: Folder of the run: checkpoints/, config.json, metrics.jsonl, events/ (TensorBoard). Several
            processes need one that all of them see.
        validate: Scores the validation part: `(config, network, examples) -> (scalars, picture)`.
        begin: Reads what a new run starts from; `export.starting.begin` knows trained networks, too.

    Raises:
        UserError: Data or weights cannot be used, `workdir` holds a run of another config, or the loss is
            no longer a number.
        Stopped: Ctrl-C or SIGTERM asked for it.
    """
    mesh = meshes.data_mesh()
    views.check_processes(config)
    groups, members = data.check_batch(config, mesh)
    training, validation = _parts(config)
    sampler, now = data.sampler(training, config), TrainedOn.of(training, validation, config)
    update = optimizer.build(config, config.train.steps, config.optimizer.frozen_steps)

    with checkpoints.manager(workdir) as manager:
        last = manager.latest_step()
        if last is None:
            beginning = begin(config, mesh)
            current, start = state.initial(config, beginning.params, update, mesh), 0
            trained_on = now.after(beginning.dataset, beginning.photos)
        else:
            saved = checkpoints.config_of(manager, last)
            run_identity.check_same_run(saved, config, workdir)
            _check_heads_are_the_last(last, saved, config, workdir)
            trained_on = checkpoints.trained_on_of(manager, last)
            trained_on.check_same(now, workdir)
            current, start = checkpoints.restore(manager, last, state.abstract(config, update, mesh)), last
            print(f'Continuing from step {start} in {workdir}.')
        if jax.process_index() == 0:
            run_files.write_config(workdir, config)
        patience = _Patience(config.train.stop_after_evals, workdir, start)
        if patience.over:
            print(f'no better for {config.train.stop_after_evals} evaluations: nothing left to do')
            return

        where = placement.choose(config.data.placement, training, mesh.size)
        print(_plan(config, training, where, mesh))
        steps = range(start, config.train.steps)
        if config.train.views:
            blocks, count = config.optimizer.frozen_blocks, config.train.views
            made = views.make_views(
                config, count, lambda model, x: model.first_maps(x, blocks), current.params, training, mesh
            )
            feed, vary = views.feed(made, sampler, steps, config.seed, mesh), views.leave
        else:
            feed, vary = placement.feed(where, training, sampler, steps, mesh), augment
        frozen = part_rates.with_frozen_encoder(config)
        rule = optimizer.build(frozen, config.train.steps)
        first_steps = step.make_step(frozen, rule, mesh, feed.batch, vary)
        other_steps = step.make_step(config, update, mesh, feed.batch, vary)
        last_step = config.train.last_step
        with Log(workdir, start, last_step, groups * members) as log, _Stop() as stop:
            pending = None  # metrics of a step that the device may still compute
            for number, per_step in enumerate(feed.per_step, start + 1):
                if number == config.optimizer.frozen_steps + 1:
                    current = state.restart_optimizer(current, update, mesh)
                run_step = first_steps if number <= config.optimizer.frozen_steps else other_steps
                current, metrics = run_step(current, feed.on_device, per_step)
                # This step runs while the metrics of the one before it are read and logged.
                _log_step(pending, config, log, manager)
                pending = number, metrics

                stopping = stop.asked or manager.reached_preemption(number)
                evaluate = number % config.train.eval_every_steps == 0 or number == config.train.steps
                if not (evaluate or stopping or number % config.train.save_every_steps == 0):
                    continue
                _log_step(pending, config, log, manager)  # so that only sound states are saved
                pending, score, fitted = None, None, None
                if evaluate:
                    judged = networks.trained(config, state.scored(current), mesh)
                    if config.train.calibrate and isinstance(judged, ImageNetwork):
                        fitted = calibration.fit_calibration(config, judged, validation)
                        judged = calibration.calibrated(judged, fitted)
                    if config.train.partner_steps and isinstance(judged, PartnerNetwork):
                        head = partner_phase.train(config, judged, training, validation, mesh)
                        current = state.with_part(current, head)
                        judged = dataclasses.replace(judged, params=judged.params | head)
                    scalars, picture = validate(config, judged, validation)
                    score = scalars[checkpoints.SCORE]
                    patience.see(score)
                    log.validation(number, scalars, picture)
                checkpoints.save(manager, current, config, trained_on, score, fitted)
                if stopping:
                    raise Stopped(
                        f'stopped at step {number} and saved; the same command continues from there'
                    )
                if patience.over:
                    log.say(f'no better for {config.train.stop_after_evals} evaluations: stopping early')
                    break
                log.restart_clock()
            if config.train.heads_steps and start < last_step:
                params, metrics = heads_phase.train(config, current.params, training, mesh)
                _log_heads(metrics, config, log, manager)
                scalars, picture = validate(config, networks.trained(config, params, mesh), validation)
                log.validation(last_step, scalars, picture)
                current = current._replace(step=jnp.full_like(current.step, last_step), params=params)
                checkpoints.save(manager, current, config, trained_on, scalars[checkpoints.SCORE])
            log.done(int(current.step))


def _plan(config: Config, training: Examples, where: str, mesh: Mesh) -> str:
    """Say in words what is about to happen."""
    devices = f'{mesh.size} {jax.default_backend().upper()} device{"s" * (mesh.size > 1)}'
    hosts = f' of {jax.process_count()} hosts' if jax.process_count() > 1 else ''
    place = 'in memory' if where == 'host' else 'on the device' if mesh.size == 1 else 'on the devices'
    if isinstance(training.images, Stored):
        photos = 'photos are read anew for every batch'
    else:
        photos = f'photos take {max(training.nbytes / 2**20, 0.1):.1f} MiB {place}'
    return (
        f'Training to step {config.train.last_step} on {devices}{hosts}; {photos}. '
        f'The first step is compiled, which takes a while.'
    )


def _check_heads_are_the_last(last: int, saved: Config, config: Config, workdir: Path) -> None:
    """Refuse to train with images after the metric and decision networks were trained alone."""
    wanted = config.train.steps, config.train.heads_steps
    if last > saved.train.steps and wanted != (saved.train.steps, saved.train.heads_steps):
        raise UserError(
            f'{workdir} holds a run that ended with {saved.train.heads_steps} steps of the metric and the '
            f'decision network alone and cannot be extended: give another --workdir'
        )


def _parts(config: Config) -> tuple[Examples, Examples]:
    """Load the training and the validation part of the configured data."""
    examples = data.load(config)
    training, validation = (data.part(examples, config, name) for name in ('train', 'validation'))
    print(f'{examples.name}: {len(training)} images to train on, {len(validation)} to validate on')
    for line in (*describe_shares(training), *(f'note: {remark}' for remark in examples.remarks)):
        print(printable(line))
    return training, validation


def _log_step(
    pending: tuple[int, step.Metrics] | None, config: Config, log: Log, manager: ocp.CheckpointManager
) -> None:
    """Log the metrics of a step; stop the run if loss, gradient or update are no longer numbers."""
    if pending is None:
        return
    number, metrics = pending[0], {key: float(value) for key, value in jax.device_get(pending[1]).items()}
    _check_sound(number, metrics, manager)
    log.step(number, metrics, write=number % config.train.log_every_steps == 0)


def _log_heads(
    metrics: dict[str, Float32[np.ndarray, ' steps']],
    config: Config,
    log: Log,
    manager: ocp.CheckpointManager,
) -> None:
    """Do the same for the steps that train the metric and decision networks alone."""
    for start in range(0, config.train.heads_steps, config.train.log_every_steps):
        some = {key: values[start : start + config.train.log_every_steps] for key, values in metrics.items()}
        number = config.train.steps + start + len(some['loss'])
        means = {key: float(values.mean()) for key, values in some.items()}
        _check_sound(number, means, manager)
        log.record(number, means)


def _check_sound(number: int, metrics: dict[str, float], manager: ocp.CheckpointManager) -> None:
    """Refuse to continue if a metric of a step is no longer a number.

    Raises:
        UserError: Naming the metrics and the last good checkpoint.
    """
    if not all(map(math.isfinite, metrics.values())):
        manager.wait_until_finished()
        good = manager.latest_step()
        place = f'step {good} in {manager.directory}' if good else 'none'
        named = [key for key in ('loss', 'gradient_norm', 'update_norm') if key in metrics]
        found = ', '.join(f'{key} {metrics[key]:g}' for key in named)
        raise UserError(
            f'step {number} gives {found}; the last good checkpoint is {place}. Start in a new --workdir '
            f'with a lower config.optimizer.learning_rate or a config.optimizer.clip_norm'
        )


class _Patience:
    """Counts evaluations since the best one, those of earlier sessions of the run included."""

    def __init__(self, limit: int, workdir: Path, start: int):
        self._limit, self._best, self._since = limit, -math.inf, 0
        for record in run_files.read(workdir):
            if record.get(checkpoints.SCORE) is not None and record['step'] <= start:
                self.see(record[checkpoints.SCORE])

    def see(self, score: float) -> None:
        self._since = 0 if score > self._best else self._since + 1
        self._best = max(self._best, score)

    @property
    def over(self) -> bool:
        return bool(self._limit) and self._since >= self._limit


class _Stop:
    """Turns Ctrl-C and SIGTERM into a request to stop after the current step; a second one stops at once.

    Of several processes, any may get the request, and all have to stop after the same step. JAX handles
    SIGTERM there, from `distributed.start` on: the processes agree on a step that none has begun, and
    `reached_preemption` tells which. So SIGTERM is left to JAX, and Ctrl-C is turned into SIGTERM.
    """

    def __enter__(self) -> _Stop:
        self.asked = False
        if jax.distributed.is_initialized():
            handlers = {signal.SIGINT: self._ask_all}
        else:
            handlers = dict.fromkeys((signal.SIGINT, signal.SIGTERM), self._ask)
        self._before: dict[int, Any] = {
            number: signal.signal(number, ask) for number, ask in handlers.items()
        }
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: object) -> None:
        self.asked = True
        signal.signal(number, self._before[number])

    def _ask_all(self, number: int, frame: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        signal.signal(number, self._before[number])
