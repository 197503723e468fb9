import dataclasses
import itertools
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from cosegnet_jax.data import placement, shapes
from cosegnet_jax.data.batches import gather
from cosegnet_jax.data.sampling.balanced import BalancedSampler
from cosegnet_jax.data.sampling.triplets import TripletSampler
from cosegnet_jax.data.stored_images import Stored
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError

BATCH = 8


@pytest.fixture(scope='module')
def examples():
    """Three of eight images of each class, so that the devices cannot share them evenly."""
    whole = shapes.make(32, 8, 0)
    return whole.subset(np.setdiff1d(np.arange(len(whole)), [1, 5, 9]))


@pytest.fixture(scope='module', params=['triplets', 'balanced'])
def sampler(request, examples):
    if request.param == 'triplets':
        return TripletSampler(examples.labels, examples.visible, 0, BATCH)
    return BalancedSampler(examples.labels, examples.visible, 0, 4, 4)


def batches(where, examples, sampler, steps, mesh):
    fed = placement.feed(where, examples, sampler, steps, mesh)
    whole = jax.jit(fed.batch, out_shardings=meshes.batched(mesh))
    return [whole(fed.on_device, per_step) for per_step in fed.per_step]


@pytest.mark.parametrize('start', [0, 3])
def test_every_placement_gives_the_draws_of_the_steps_divided_over_the_mesh(examples, sampler, start):
    mesh, steps = meshes.data_mesh(), range(start, 6)
    expected = [gather(examples, sampler.draw(step)) for step in steps]
    for where in ('host', 'replicated', 'sharded'):
        for ours, theirs in zip(batches(where, examples, sampler, steps, mesh), expected, strict=True):
            for x, y in zip(ours, theirs, strict=True):
                assert x.dtype == y.dtype
                np.testing.assert_array_equal(x, y)


def test_pixels_are_on_every_device_or_divided_between_them(examples, sampler):
    mesh = meshes.data_mesh()
    whole, part = (
        placement.feed(where, examples, sampler, range(1), mesh).on_device[0].addressable_shards[0].data
        for where in ('replicated', 'sharded')
    )
    assert len(whole) == len(examples)
    assert len(part) == -(-len(examples) // 8)


def test_batches_are_on_their_way_before_they_are_asked_for(examples, sampler):
    drawn = []

    @dataclasses.dataclass(frozen=True)
    class Watched:
        shape = sampler.shape

        def draw(self, step):
            drawn.append(step)
            return sampler.draw(step)

    fed = placement.feed('replicated', examples, Watched(), range(10), meshes.data_mesh())
    list(itertools.islice(fed.per_step, 1))
    assert drawn == [0, 1]


def test_auto_is_the_host_where_the_device_tells_no_memory(examples):
    assert placement.choose('auto', examples, 8) == 'host'
    assert placement.choose('device', examples, 8) == 'replicated'


@pytest.fixture
def quarter(monkeypatch, examples):
    """The bytes of the set in parts of the quarter of a device's memory."""

    def have(times):
        class Accelerator:
            def memory_stats(self):
                return {'bytes_limit': 4 * examples.nbytes / times}

        monkeypatch.setattr(jax, 'local_devices', lambda: [Accelerator()])

    return have


@pytest.mark.parametrize(
    ('asked', 'times', 'expected'),
    [
        ('auto', 1, 'replicated'),
        ('auto', 1.01, 'sharded'),
        ('auto', 4, 'sharded'),
        ('auto', 4.01, 'host'),
        ('device', 4, 'sharded'),
        ('host', 0.1, 'host'),
    ],
)
def test_pixels_take_at_most_a_quarter_of_a_device(quarter, examples, asked, times, expected):
    quarter(times)
    assert placement.choose(asked, examples, 4) == expected


def test_a_device_without_room_is_an_error(quarter, examples):
    quarter(4.01)
    with pytest.raises(
        UserError, match=r'config\.data\.placement=device: the photos take .*, a quarter of the memory'
    ):
        placement.choose('device', examples, 4)


def test_stored_pixels_go_to_the_device_on_request_only(quarter, examples, sampler):
    quarter(0.1)
    stored = dataclasses.replace(
        examples,
        images=Stored(examples.images.__getitem__, np.arange(len(examples)), examples.images.shape[1:]),
        masks=Stored(examples.masks.__getitem__, np.arange(len(examples)), examples.masks.shape[1:]),
    )
    assert placement.choose('auto', stored, 4) == 'host'
    assert placement.choose('device', stored, 4) == 'replicated'
    for ours, theirs in zip(
        batches('replicated', stored, sampler, range(2), meshes.data_mesh()),
        batches('replicated', examples, sampler, range(2), meshes.data_mesh()),
        strict=True,
    ):
        jax.tree.map(np.testing.assert_array_equal, ours, theirs)


@pytest.mark.slow
def test_training_and_evaluation_from_the_devices_need_no_tensorflow(tmp_path):
    """Run where every import of TensorFlow fails."""
    code = f"""
import sys
sys.modules['tensorflow'] = None
sys.argv = ['x', '--config=configs/shapes.py', '--workdir={tmp_path}/PLACE', '--config.image_size=32',
    '--config.data.images_per_class=10', '--config.model.width=0.02', '--config.train.steps=1',
    '--config.optimizer.warmup_steps=0',
    '--config.data.placement=PLACE']
from cosegnet_jax.cli import command_line
from cosegnet_jax.cli import eval, train
def both():
    train.main()
    eval.main()
command_line.start(both)
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
    assert refused.stderr.splitlines()[-1] == (
        'error: config.data.placement=host: tensorflow is not installed; '
        "pip install 'cosegnet-jax[train]', or use device"
    )
