"""What can be measured: steps, an epoch, evaluation, all pairs of more and more images, input, compilation.

Each mode gives rows as they are measured: several for 'pairs', one for the others.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import optax

from cosegnet_jax import data
from cosegnet_jax.benchmark import all_pairs, compilation, counting, epoch, timing
from cosegnet_jax.benchmark.row import Row, about, rates
from cosegnet_jax.config import Config
from cosegnet_jax.data import placement
from cosegnet_jax.data.augmentation import augment
from cosegnet_jax.data.batches import Sampler
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.losses.objectives import find_objective
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import optimizer, state, step

BATCHES = 30  # in a repeat of 'input'; one takes a millisecond, and the first are ready


def train(config: Config, blocks: int, repeats: int) -> Iterator[Row]:
    """Measure the train step alone, on one batch that stays on the devices."""
    mesh = meshes.data_mesh()
    groups, members = data.check_batch(config, mesh)
    update = optimizer.build(config, config.train.steps)
    run_step, batch = step_and_batch(config, update, mesh)
    current = state.random(config, update, mesh)
    start = time.perf_counter()
    compiled = run_step.lower(current, *batch).compile()
    compile_s = time.perf_counter() - start

    def once() -> Any:
        nonlocal current
        current, metrics = compiled(current, *batch)
        return metrics

    jax.block_until_ready([once() for _ in range(2)])
    seconds = timing.median_seconds(once, blocks, repeats)
    images, masks = groups * members, groups * find_objective(config.model).decoded(config, members)
    yield {
        **about(config, mesh),
        'triplets': images / 3,
        'triplets_per_s': images / 3 / seconds,  # of a P×K batch: of as many images
        'images_per_s': images / seconds,
        's_per_step': seconds,
        **rates(config, mesh, lambda macs: counting.train_step(macs, images, masks), seconds),
        'compile_s': compile_s,
    }


def feed(config: Config, blocks: int, repeats: int) -> Iterator[Row]:
    """Measure batches alone, from the devices and from the host by tf.data, beside the train step.

    Without TensorFlow, measure those from the devices only.
    """
    mesh = meshes.data_mesh()
    groups, members = data.check_batch(config, mesh)
    examples, sampler = _noise(config)
    count = repeats * BATCHES
    row = {'on_device_mib': examples.nbytes / 2**20, 'cpu_cores': timing.cpu_cores()}
    places = {'device': 'replicated'}
    if importlib.util.find_spec('tensorflow'):
        places['host'] = 'host'
    for name, where in places.items():
        fed = placement.feed(where, examples, sampler, range(blocks * count + 3), mesh)
        varied = jax.jit(lambda *batch, fed=fed: augment(fed.batch(*batch), jax.random.key(0), config.data))

        def once(fed: placement.Feed = fed, varied: Any = varied) -> Any:
            return varied(fed.on_device, next(fed.per_step))

        jax.block_until_ready([once() for _ in range(3)])
        row[f'{name}_s_per_batch'] = timing.median_seconds(once, blocks, count)
        row[f'{name}_images_per_s'] = groups * members / row[f'{name}_s_per_batch']
    [step_row] = train(config, blocks, repeats)
    yield {
        **about(config, mesh),
        **row,
        'train_images_per_s': step_row['images_per_s'],
        'device_share_of_step': row['device_s_per_batch'] / step_row['s_per_step'],
    }


MODES = {
    'train': train,
    'epoch': epoch.measure,
    'eval': all_pairs.evaluate,
    'pairs': all_pairs.growth,
    'input': feed,
    'compile': compilation.present,
    'compile_eval': compilation.present_describing,
}


def step_and_batch(
    config: Config, update: optax.GradientTransformation, mesh: jax.sharding.Mesh
) -> tuple[Any, tuple[Any, Any]]:
    """Make the jitted train step, and a batch for it that stays on the devices."""
    fed = placement.feed('replicated', *_noise(config), range(1), mesh)
    return step.make_step(config, update, mesh, fed.batch), (fed.on_device, next(fed.per_step))


def _noise(config: Config) -> tuple[Examples, Sampler]:
    """Make a set of noise, large enough for a few steps, and its sampler."""
    rng, classes = np.random.default_rng(0), max(8, config.train.batch_classes)
    count, shape = 32 * classes, (config.image_size, config.image_size)
    examples = Examples.in_memory(
        name='noise',
        classes=tuple(map(str, range(classes))),
        filenames=tuple(map(str, range(count))),
        labels=np.arange(count) % classes,
        images=rng.integers(0, 256, (count, *shape, 3), np.uint8),
        masks=rng.integers(0, 2, (count, *shape), np.uint8),
    )
    return examples, data.sampler(examples, config)
