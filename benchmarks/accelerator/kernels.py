"""The ten longest kernels of a train step of each network, from a trace of the profiler.

python benchmarks/accelerator/kernels.py [--tiny]
"""

from __future__ import annotations

import argparse
import collections
import json
import tempfile
from pathlib import Path

import carried
import jax

from cosegnet_jax.benchmark import modes
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import optimizer, state

LONGEST = 10
BATCHES = {
    'pascal_voc': {'train__batch_triplets': 32},
    'pyramid': {'train__batch_classes': 16, 'train__batch_images_per_class': 8},
}


def main() -> None:
    """Prints a line of JSON for each kernel."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--tiny', action='store_true')
    tiny = parser.parse_args().tiny
    for name, batch in BATCHES.items():
        size = {'image_size': 64, 'model__width': 0.0625, 'model__weights': 'none'} if tiny else {}
        if tiny and name == 'pyramid':
            size |= {'optimizer__frozen_blocks': 0, 'train__views': 0}
        batch = dict.fromkeys(batch, 2) if tiny else {**batch, 'model__dtype': 'bfloat16'}
        config = carried.config(name, **batch, **size)
        mesh = meshes.data_mesh()
        update = optimizer.build(config, config.train.steps)
        run_step, (on_device, per_step) = modes.step_and_batch(config, update, mesh)
        current, _ = run_step(state.random(config, update, mesh), on_device, per_step)
        jax.block_until_ready(current)
        with tempfile.TemporaryDirectory() as folder:
            with jax.profiler.trace(folder):
                jax.block_until_ready(run_step(current, on_device, per_step))
            seconds, times = kernels(next(Path(folder).rglob('*.xplane.pb')))
        total = sum(seconds.values())
        for kernel, taken in seconds.most_common(LONGEST):
            row = {'network': name, 'kernel': kernel, 'ms': taken * 1e3, 'times': times[kernel]}
            print(json.dumps(row | {'share': taken / total}), flush=True)


def kernels(trace: Path) -> tuple[collections.Counter[str], collections.Counter[str]]:
    """Seconds in each kernel, and how often it ran: on the GPU, or else in XLA's threads on the CPU."""
    seconds, times = collections.Counter(), collections.Counter()
    planes = list(jax.profiler.ProfileData.from_file(str(trace)).planes)
    gpu = [plane for plane in planes if plane.name.startswith('/device:GPU')]
    for plane in gpu or planes:
        for line in plane.lines:
            if not (line.name.startswith('Stream') if gpu else 'XLA' in line.name):
                continue
            for event in line.events:
                seconds[event.name] += event.duration_ns / 1e9
                times[event.name] += 1
    return seconds, times


if __name__ == '__main__':
    main()
