"""What can be measured: training steps, evaluation, the input alone, and compilation.

Each mode gives one flat dictionary, to be printed as a line of JSON.
"""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cosegnet_jax import mesh as meshes
from cosegnet_jax import models
from cosegnet_jax.benchmark import counting, timing
from cosegnet_jax.config import Config
from cosegnet_jax.data import placement
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.triplets import TripletSampler
from cosegnet_jax.models import apply
from cosegnet_jax.training import optimizer, state, step

PASCAL_TRAIN_IMAGES = 623  # 3/5 of the 1,037 of PASCAL-VOC co-segmentation, each an anchor once an epoch

Row = dict[str, Any]


def train(config: Config, blocks: int, repeats: int) -> Row:
    """The train step alone, on one batch that stays on the devices."""
    mesh, triplets = meshes.data_mesh(), config.train.batch_triplets
    meshes.check_divides(mesh, triplets, 'config.train.batch_triplets')
    update = optimizer.build(config.optimizer, config.train.steps)
    batch = [meshes.put_batch(mesh, rows) for rows in _random_batch(config)]
    current = state.random(config, update, mesh)
    start = time.perf_counter()
    compiled = step.make_step(config, update, mesh).lower(current, *batch).compile()
    compile_s = time.perf_counter() - start

    def once() -> Any:
        nonlocal current
        current, metrics = compiled(current, *batch)
        return metrics

    jax.block_until_ready([once() for _ in range(2)])
    seconds = timing.median_seconds(once, blocks, repeats)
    drawn = counting.train_step(counting.per_image(config.model, config.image_size), triplets)
    needed = counting.train_step(counting.per_image(config.model, config.image_size, 4 / 9), triplets)
    return {
        **_about(config, mesh),
        'triplets': triplets,
        'triplets_per_s': triplets / seconds,
        'images_per_s': 3 * triplets / seconds,
        's_per_step': seconds,
        's_per_epoch': PASCAL_TRAIN_IMAGES / triplets * seconds,
        **_rates(config, mesh, drawn, needed, seconds),
        'compile_s': compile_s,
    }


def evaluate(config: Config, blocks: int, repeats: int) -> Row:
    """All pairs of `config.evaluation.batch_images` images: described once each, every pair decided."""
    mesh, images = meshes.data_mesh(), config.evaluation.batch_images
    graph = models.graph(config.model)
    place = meshes.replicated(mesh)
    params = jax.jit(lambda: state.random_params(config.model, config.seed), out_shardings=place)()
    pixels = np.random.default_rng(0).integers(0, 256, (images, *_shape(config), 3), np.uint8)

    def once() -> Any:
        masks, embeddings = apply.describe(graph, params, pixels, images, mesh)
        return masks, apply.decide(graph, params, embeddings, config.evaluation.symmetric)

    start = time.perf_counter()
    once()
    compile_s = time.perf_counter() - start
    seconds = timing.median_seconds(once, blocks, repeats)
    drawn = counting.evaluation(counting.per_image(config.model, config.image_size), images)
    needed = counting.evaluation(counting.per_image(config.model, config.image_size, 4 / 9), images)
    return {
        **_about(config, mesh),
        'images': images,
        'images_per_s': images / seconds,
        'pairs_per_s': images * (images - 1) / 2 / seconds,
        's_per_step': seconds,
        **_rates(config, mesh, drawn, needed, seconds),
        'compile_s': compile_s,
    }


def feed(config: Config, blocks: int, repeats: int) -> Row:
    """Batches alone, from the host and from the devices, without a train step."""
    mesh, triplets = meshes.data_mesh(), config.train.batch_triplets
    meshes.check_divides(mesh, triplets, 'config.train.batch_triplets')
    rng, count = np.random.default_rng(0), 256
    examples = Examples(
        name='noise',
        classes=('a', 'b'),
        filenames=tuple(map(str, range(count))),
        labels=np.arange(count) % 2,
        images=rng.integers(0, 256, (count, *_shape(config), 3), np.uint8),
        masks=rng.integers(0, 2, (count, *_shape(config)), np.uint8),
    )
    sampler = TripletSampler(examples.labels, np.ones(count, bool), config.seed)
    row = {**_about(config, mesh), 'triplets': triplets}
    for where in ('host', 'device'):
        batches = placement.stream(
            where, examples, sampler, triplets, 0, blocks * repeats + 3, config.data.flip, mesh
        )
        jax.block_until_ready([next(batches) for _ in range(3)])
        seconds = timing.median_seconds(lambda batches=batches: next(batches), blocks, repeats)
        row[f'{where}_images_per_s'] = 3 * triplets / seconds
    return row


def compilation(config: Config, blocks: int, repeats: int) -> Row:
    """Time to trace and compile the train step, and the memory that the compiler plans for it."""
    del blocks, repeats  # compiled once
    mesh = meshes.data_mesh()
    meshes.check_divides(mesh, config.train.batch_triplets, 'config.train.batch_triplets')
    update = optimizer.build(config.optimizer, config.train.steps)
    shape = (config.train.batch_triplets, 3, *_shape(config))
    batch = [jax.ShapeDtypeStruct(s, jnp.uint8) for s in ((*shape, 3), shape)]
    start = time.perf_counter()
    lowered = step.make_step(config, update, mesh).lower(state.abstract(config, update, mesh), *batch)
    lowering = time.perf_counter() - start
    memory = lowered.compile().memory_analysis()
    return {
        **_about(config, mesh),
        'triplets': config.train.batch_triplets,
        'lower_s': lowering,
        'compile_s': time.perf_counter() - start - lowering,
        'temporaries_gib': memory.temp_size_in_bytes / 2**30,
        'arguments_gib': memory.argument_size_in_bytes / 2**30,
    }


MODES = {'train': train, 'eval': evaluate, 'input': feed, 'compile': compilation}


def _shape(config: Config) -> tuple[int, int]:
    return config.image_size, config.image_size


def _random_batch(config: Config) -> tuple[np.ndarray, np.ndarray]:
    rng, shape = np.random.default_rng(0), (config.train.batch_triplets, 3, *_shape(config))
    return rng.integers(0, 256, (*shape, 3), np.uint8), rng.integers(0, 2, shape, np.uint8)


def _about(config: Config, mesh: jax.sharding.Mesh) -> Row:
    return {
        'device': jax.devices()[0].device_kind,
        'devices': mesh.size,
        'jax': jax.__version__,
        'size': config.image_size,
        'width': config.model.width,
        'dtype': config.model.dtype,
    }


def _rates(
    config: Config, mesh: jax.sharding.Mesh, drawn: int | float, needed: int | float, seconds: float
) -> Row:
    """FLOP rates: `model_` of the network as drawn, `share_of_ceiling` of the operations needed."""
    memory = timing.peak_memory_gib()  # before the ceiling is measured, which takes some of its own
    ceiling = timing.matmul_flops_per_s(jnp.dtype(config.model.dtype)) * mesh.size
    return {
        'model_flops_per_s': drawn / seconds,
        'needed_flops_per_s': needed / seconds,
        'ceiling_flops_per_s': ceiling,
        'share_of_ceiling': needed / seconds / ceiling,
        'peak_memory_gib': memory,
    }
