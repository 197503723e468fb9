import dataclasses
import itertools
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from cosegnet_jax.data.batches import gather
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.pipeline import stream
from cosegnet_jax.data.sampling.triplets import TripletSampler
from cosegnet_jax.runtime import mesh as meshes

COUNT, BATCH = 24, 8
ALL = slice(None)


@pytest.fixture(scope='module')
def examples():
    random = np.random.default_rng(0)
    return Examples.in_memory(
        name='noise',
        classes=('a', 'b', 'c'),
        filenames=tuple(f'x/{i}' for i in range(COUNT)),
        labels=np.arange(COUNT) % 3,
        images=random.integers(0, 256, (COUNT, 6, 5, 3), dtype=np.uint8),
        masks=random.integers(0, 2, (COUNT, 6, 5), dtype=np.uint8),
    )


@pytest.fixture(scope='module')
def sampler(examples):
    return TripletSampler(examples.labels, np.ones((COUNT, 1), bool), 3, BATCH)


def assert_same(batches, others):
    for batch, other in zip(batches, others, strict=True):
        for part, expected in zip(batch, other, strict=True):
            np.testing.assert_array_equal(part, expected)


def test_stream_is_the_draws_of_its_steps_in_order(examples, sampler):
    expected = [gather(examples, sampler.draw(step)) for step in range(20)]
    assert_same(stream(examples, sampler, range(20), ALL), expected)


def test_resumed_stream_continues_as_if_never_stopped(examples, sampler):
    whole = list(stream(examples, sampler, range(12), ALL))
    for start in (1, 7, 12):
        assert_same(stream(examples, sampler, range(start, 12), ALL), whole[start:])


def test_batches_are_numpy_bytes(examples, sampler):
    batch = next(stream(examples, sampler, range(1), ALL))
    assert isinstance(batch.images, np.ndarray)
    assert batch.images.dtype == batch.masks.dtype == np.uint8
    assert batch.images.shape == (BATCH, 3, 6, 5, 3)
    assert batch.masks.shape == (BATCH, 3, 6, 5)


def test_batch_outlives_the_stream_and_later_batches(examples, sampler):
    batches = stream(examples, sampler, range(1000), ALL)
    first = next(batches)
    for _ in itertools.islice(batches, 50):
        pass
    batches.close()
    assert_same([first], [gather(examples, sampler.draw(0))])


def test_four_processes_together_make_the_batch_of_one(examples, sampler):
    whole = stream(examples, sampler, range(5), ALL)
    shares = [stream(examples, sampler, range(5), meshes.process_rows(BATCH, i, 4)) for i in range(4)]
    for batch, *parts in zip(whole, *shares, strict=True):
        assert_same([batch], [[np.concatenate(part) for part in zip(*parts, strict=True)]])


def test_pixels_may_be_memory_mapped(examples, sampler, tmp_path):
    np.save(tmp_path / 'images.npy', examples.images)
    np.save(tmp_path / 'masks.npy', examples.masks)
    mapped = dataclasses.replace(
        examples,
        images=np.load(tmp_path / 'images.npy', mmap_mode='r'),
        masks=np.load(tmp_path / 'masks.npy', mmap_mode='r'),
    )
    assert_same(stream(mapped, sampler, range(4), ALL), stream(examples, sampler, range(4), ALL))


def test_program_that_leaves_a_stream_open_ends():
    """Threads of an open pipeline wait for the interpreter, which at its end waits for them."""
    program = """
        import numpy as np
        from cosegnet_jax.data.examples import Examples
        from cosegnet_jax.data.pipeline import stream
        from cosegnet_jax.data.sampling.triplets import TripletSampler

        labels = np.arange(8) % 2
        names = tuple(map(str, labels))
        images, masks = np.zeros((8, 224, 224, 3), np.uint8), np.ones((8, 224, 224), np.uint8)
        examples = Examples.in_memory('zeros', ('a', 'b'), names, labels, images, masks)
        sampler = TripletSampler(examples.labels, examples.visible, 0, 64)
        batches = stream(examples, sampler, range(10**9), slice(None))
        next(batches)
    """
    subprocess.run([sys.executable, '-c', textwrap.dedent(program)], check=True, timeout=60)
