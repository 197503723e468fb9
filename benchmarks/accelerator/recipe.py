"""The tuned recipe of the paper's network on PASCAL-VOC, for as many steps as a time gives.

python benchmarks/accelerator/recipe.py FOLDER OUT [--tiny]

Writes the network to OUT/network.0 to network.3, in half precision. `cat OUT/network.? > model.safetensors`
makes a model file of them, for `cosegnet predict --model`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import carried
import jax
import numpy as np

from cosegnet_jax import data, networks
from cosegnet_jax.config import Config
from cosegnet_jax.data import placement
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation.scoring import validate
from cosegnet_jax.export import model_file
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import heads_phase, optimizer, state, step

SECONDS = 210  # of training, in a part of five minutes that reads, compiles and scores too
PIECES = 4  # of the network, each small enough to be brought home


def main() -> None:
    """Prints a line of JSON now and then, and one with the score."""
    parser = argparse.ArgumentParser()
    parser.add_argument('folder', type=Path)
    parser.add_argument('out', type=Path)
    parser.add_argument('--tiny', action='store_true')
    given = parser.parse_args()
    training, validation = (carried.examples(given.folder, part) for part in ('train', 'validation'))
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch) / 'vgg16.npz'
        with np.load(given.folder / 'vgg16.npz') as arrays:
            np.savez(weights, **{name: arrays[name].astype(np.float32) for name in arrays})
        rest = {'model__width': 0.0625, 'model__weights': 'none', 'model__feature_scale': 1.0}
        changes = rest if given.tiny else {'model__weights': str(weights), 'model__dtype': 'bfloat16'}
        config = carried.config('pascal_voc_tuned', image_size=training.images.shape[1], **changes)
        known = state.published(config, meshes.data_mesh()).params
    seconds = 5 if given.tiny else SECONDS
    config = dataclasses.replace(config, train=dataclasses.replace(config.train, heads_steps=300))
    network = train(config, known, training, seconds)
    scores, _ = validate(network.config, network, validation)
    print(json.dumps({'steps': network.step, **scores}), flush=True)
    whole = Path(tempfile.mkdtemp()) / model_file.NAME
    model_file.write(whole, model_file.release(network), 'float16')
    content = whole.read_bytes()
    size = -(-len(content) // PIECES)
    for number in range(PIECES):
        (given.out / f'network.{number}').write_bytes(content[number * size : (number + 1) * size])


def train(config: Config, known: Mapping[str, Any], training: Examples, seconds: float) -> TrainedNetwork:
    """Trains for so many seconds; the schedule ends with them, by the time that the first steps take."""
    mesh = meshes.data_mesh()
    start = time.perf_counter()
    rate, first = 0.0, 20 if seconds > 60 else 2
    config = _for_steps(config, first + 50)
    for trial in (True, False):  # a few steps tell how many there is time for
        count = first if trial else config.train.steps
        fed = placement.feed('replicated', training, data.sampler(training, config), range(count), mesh)
        update = optimizer.build(config, config.train.steps)
        current = state.initial(config, known, update, mesh)
        run_step = step.make_step(config, update, mesh, fed.batch)
        for number, per_step in enumerate(fed.per_step, 1):
            current, metrics = run_step(current, fed.on_device, per_step)
            if number in (2, count) or number % 100 == 0:
                loss = float(metrics['loss'])  # waits for the device
                now = time.perf_counter() - start
                print(json.dumps({'number': number, 'loss': loss, 's': now}), flush=True)
            if trial and number == first // 2:
                jax.block_until_ready(metrics)
                since = time.perf_counter()
        if trial:
            jax.block_until_ready(current)
            rate = (first - first // 2) / (time.perf_counter() - since)
            left = seconds - (time.perf_counter() - start)
            config = _for_steps(config, max(4, int(rate * left * 0.9)))
    params, _ = heads_phase.train(config, state.scored(current), training, mesh)
    return networks.trained(
        config, params, mesh, step=config.train.last_step, dataset=training.name, images=len(training)
    )


def _for_steps(config: Config, steps: int) -> Config:
    warmup = min(config.optimizer.warmup_steps, steps // 4)
    return dataclasses.replace(
        config,
        train=dataclasses.replace(config.train, steps=steps),
        optimizer=dataclasses.replace(config.optimizer, warmup_steps=warmup),
    )


if __name__ == '__main__':
    main()
