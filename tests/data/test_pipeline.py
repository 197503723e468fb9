import itertools
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.pipeline import stream
from cosegnet_jax.data.triplets import TripletSampler, gather
from cosegnet_jax.errors import UserError

COUNT, BATCH = 24, 8


@pytest.fixture(scope='module')
def examples():
    random = np.random.default_rng(0)
    return Examples(
        name='noise',
        classes=('a', 'b', 'c'),
        filenames=tuple(f'x/{i}' for i in range(COUNT)),
        labels=np.arange(COUNT) % 3,
        images=random.integers(0, 256, (COUNT, 6, 5, 3), dtype=np.uint8),
        masks=random.integers(0, 2, (COUNT, 6, 5), dtype=np.uint8),
    )


@pytest.fixture(scope='module')
def sampler(examples):
    return TripletSampler(examples.labels, np.ones(COUNT, bool), 3)


def assert_same(batches, others):
    for batch, other in zip(batches, others, strict=True):
        np.testing.assert_array_equal(batch.images, other.images)
        np.testing.assert_array_equal(batch.masks, other.masks)


@pytest.mark.parametrize('flip', [False, True])
def test_stream_is_the_draws_of_its_steps_in_order(examples, sampler, flip):
    expected = [gather(examples, sampler.draw(step, BATCH), flip) for step in range(20)]
    assert_same(stream(examples, sampler, BATCH, 0, 20, flip), expected)


def test_resumed_stream_continues_as_if_never_stopped(examples, sampler):
    whole = list(stream(examples, sampler, BATCH, 0, 12, flip=True))
    for start in (1, 7, 12):
        assert_same(stream(examples, sampler, BATCH, start, 12, flip=True), whole[start:])


def test_batches_are_numpy_bytes(examples, sampler):
    batch = next(stream(examples, sampler, BATCH, 0, 1, flip=True))
    assert isinstance(batch.images, np.ndarray)
    assert batch.images.dtype == batch.masks.dtype == np.uint8
    assert batch.images.shape == (BATCH, 3, 6, 5, 3)
    assert batch.masks.shape == (BATCH, 3, 6, 5)


def test_batch_outlives_the_stream_and_later_batches(examples, sampler):
    batches = stream(examples, sampler, BATCH, 0, 1000, flip=True)
    first = next(batches)
    for _ in itertools.islice(batches, 50):
        pass
    batches.close()
    assert_same([first], [gather(examples, sampler.draw(0, BATCH), flip=True)])


def test_processes_share_the_rows_of_the_global_batch(examples, sampler):
    whole = stream(examples, sampler, BATCH, 0, 5, flip=True)
    shares = [stream(examples, sampler, BATCH, 0, 5, flip=True, shard=(i, 4)) for i in range(4)]
    for batch, *parts in zip(whole, *shares, strict=True):
        np.testing.assert_array_equal(batch.images, np.concatenate([part.images for part in parts]))
        np.testing.assert_array_equal(batch.masks, np.concatenate([part.masks for part in parts]))


def test_batch_that_does_not_divide_among_processes_is_an_error(examples, sampler):
    with pytest.raises(UserError, match='8 triplets does not divide among 3 processes'):
        stream(examples, sampler, BATCH, 0, 5, flip=True, shard=(0, 3))


def test_pixels_may_be_memory_mapped(examples, sampler, tmp_path):
    np.save(tmp_path / 'images.npy', examples.images)
    np.save(tmp_path / 'masks.npy', examples.masks)
    mapped = Examples(
        name=examples.name,
        classes=examples.classes,
        filenames=examples.filenames,
        labels=examples.labels,
        images=np.load(tmp_path / 'images.npy', mmap_mode='r'),
        masks=np.load(tmp_path / 'masks.npy', mmap_mode='r'),
    )
    assert_same(
        stream(mapped, sampler, BATCH, 0, 4, flip=True), stream(examples, sampler, BATCH, 0, 4, flip=True)
    )


def test_program_that_leaves_a_stream_open_ends():
    """Threads of an open pipeline wait for the interpreter, which at its end waits for them."""
    program = """
        import numpy as np
        from cosegnet_jax.data.examples import Examples
        from cosegnet_jax.data.pipeline import stream
        from cosegnet_jax.data.triplets import TripletSampler

        labels = np.arange(8) % 2
        names = tuple(map(str, labels))
        images, masks = np.zeros((8, 224, 224, 3), np.uint8), np.ones((8, 224, 224), np.uint8)
        examples = Examples('zeros', ('a', 'b'), names, labels, images, masks)
        batches = stream(examples, TripletSampler(labels, masks.any((1, 2)), 0), 64, 0, 10**9, True)
        next(batches)
    """
    subprocess.run([sys.executable, '-c', textwrap.dedent(program)], check=True, timeout=60)
