import itertools
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from cosegnet_jax import mesh as meshes
from cosegnet_jax.data import placement, shapes
from cosegnet_jax.data.triplets import TripletSampler

BATCH = 8


@pytest.fixture(scope='module')
def examples():
    return shapes.make(32, 4, 0)


@pytest.fixture(scope='module')
def sampler(examples):
    return TripletSampler(examples.labels, np.ones(len(examples), bool), 0)


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('start', [0, 3])
def test_both_placements_give_the_same_batches_divided_over_the_mesh(examples, sampler, flip, start):
    mesh = meshes.data_mesh()
    streams = [
        placement.stream(where, examples, sampler, BATCH, start, 6, flip, mesh)
        for where in ('device', 'host')
    ]
    count = 0
    for ours, theirs in itertools.zip_longest(*streams):
        for x, y in zip(ours, theirs, strict=True):
            assert x.dtype == y.dtype == np.uint8
            assert x.sharding == y.sharding == meshes.batched(mesh)
            np.testing.assert_array_equal(x, y)
        count += 1
    assert count == 6 - start


def test_auto_is_the_host_where_the_device_tells_no_memory():
    assert placement.choose('auto', 1) == 'host'
    assert placement.choose('device', 1) == 'device'


@pytest.mark.parametrize(('nbytes', 'expected'), [(25, 'device'), (26, 'host')])
def test_auto_is_the_device_where_the_pixels_take_a_quarter_of_it(monkeypatch, nbytes, expected):
    class Accelerator:
        def memory_stats(self):
            return {'bytes_limit': 100}

    monkeypatch.setattr(jax, 'local_devices', lambda: [Accelerator()])
    assert placement.choose('auto', nbytes) == expected


def test_training_and_evaluation_from_the_devices_need_no_tensorflow(tmp_path):
    """Run where every import of TensorFlow fails."""
    code = f"""
import sys
sys.modules['tensorflow'] = None
sys.argv = ['x', '--config=configs/shapes.py', '--workdir={tmp_path}/PLACE', '--config.image_size=32',
    '--config.data.images_per_class=10', '--config.model.width=0.02', '--config.train.steps=1',
    '--config.data.placement=PLACE']
import train, eval
from cosegnet_jax import cli
from cosegnet_jax.evaluation.run import evaluate_run
def both(config):
    train.main(config)
    evaluate_run(config, cli.workdir(), None)
cli.run(both)
"""
    root = Path(__file__).parents[2]

    def run(place: str) -> subprocess.CompletedProcess:
        command = [sys.executable, '-c', code.replace('PLACE', place)]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)

    done = run('device')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'device' / 'eval' / 'results.json').exists()
    refused = run('host')
    assert refused.returncode == 2
    assert (
        refused.stderr.strip()
        .splitlines()[-1]
        .startswith('error: config.data.placement=host needs TensorFlow')
    )
