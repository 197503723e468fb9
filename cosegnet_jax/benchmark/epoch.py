"""An epoch of training on the configured set, through the input that the run would use."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import jax

from cosegnet_jax import data
from cosegnet_jax.benchmark.row import Row, about
from cosegnet_jax.config import Config
from cosegnet_jax.data import placement
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.sampling.triplets import TripletSampler
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import optimizer, state, step

_COMPILE = 2  # steps before the clock starts


def measure(config: Config, blocks: int, repeats: int) -> Iterator[Row]:
    """Measure the seconds of one epoch of an existing set, as `config.data.placement` reads it.

    Weights are random, since their values do not change the time. `blocks` and `repeats` are not read.

    Raises:
        UserError: The set cannot be read.
    """
    del blocks, repeats
    mesh = meshes.data_mesh()
    groups, members = data.check_batch(config, mesh)
    training = data.part(data.load(config), config, 'train')
    steps = steps_of_epoch(training, config)
    where = placement.choose(config.data.placement, training, mesh.size)
    fed = placement.feed(where, training, data.sampler(training, config), range(_COMPILE + steps), mesh)
    update = optimizer.build(config, config.train.steps)
    run_step, current = step.make_step(config, update, mesh, fed.batch), state.random(config, update, mesh)
    for _ in range(_COMPILE):
        current, metrics = run_step(current, fed.on_device, next(fed.per_step))
    jax.block_until_ready(metrics)
    start = time.perf_counter()
    for per_step in fed.per_step:
        current, metrics = run_step(current, fed.on_device, per_step)
    jax.block_until_ready(metrics)
    seconds = time.perf_counter() - start
    yield {
        **about(config, mesh),
        'dataset': training.name,
        'images': len(training),
        'placement': where,
        'steps_per_epoch': steps,
        's_per_epoch': seconds,
        's_per_step': seconds / steps,
        'images_per_s': steps * groups * members / seconds,
    }


def steps_of_epoch(training: Examples, config: Config) -> int:
    """Count the steps that draw every anchor once, or in balanced batches as many images as the set has."""
    sampler = data.sampler(training, config)
    if isinstance(sampler, TripletSampler):
        return math.ceil(sampler.anchors_per_epoch / config.train.batch_triplets)
    return math.ceil(len(training) / sampler.shape[0])
