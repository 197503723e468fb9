import dataclasses

import numpy as np
import pytest

from cosegnet_jax.data import array_file
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.stored_images import Stored
from cosegnet_jax.runtime.errors import UserError


@pytest.fixture
def examples():
    """Smooth images, as photos are, one of them of two classes and one that shows nothing."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 4, 4, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    masks = rng.integers(0, 3, (5, 32, 32), np.uint8)
    masks[3] = 0
    return Examples.in_memory(
        name='msrc/all',
        classes=('cow', 'Kühe'),
        filenames=('cow/a', 'cow/b', 'Kühe/c', 'Kühe/d', 'Kühe/e'),
        labels=np.array([[0, 1], [0, -1], [1, -1], [1, -1], [1, -1]]),
        images=images,
        masks=masks,
    )


def written(tmp_path, examples, jpeg_quality):
    file = array_file.path(tmp_path, examples.name, 32)
    array_file.write(file, examples, jpeg_quality)
    return file


def test_a_packed_set_is_the_set(tmp_path, examples):
    found = array_file.read(written(tmp_path, examples, None))
    assert isinstance(found.images, Stored)
    for field in dataclasses.fields(found):
        ours, theirs = getattr(found, field.name), getattr(examples, field.name)
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs), err_msg=field.name, strict=True)
    assert (tmp_path / 'msrc' / 'all-32.npz').is_file()


def test_a_part_of_a_packed_set_is_decoded(tmp_path, examples):
    part = array_file.read(written(tmp_path, examples, None)).subset(np.array([4, 1])).decoded()
    np.testing.assert_array_equal(part.images, examples.images[[4, 1]])
    np.testing.assert_array_equal(part.masks, examples.masks[[4, 1]])


def test_jpeg_moves_pixels_by_a_few_levels_and_leaves_the_rest(tmp_path, examples):
    found = array_file.read(written(tmp_path, examples, 95))
    moved = np.abs(np.asarray(found.images).astype(int) - examples.images)
    assert 0 < moved.mean() < 3
    np.testing.assert_array_equal(found.masks, examples.masks)


@pytest.mark.parametrize('damage', ['truncated', 'other', 'text'])
def test_a_file_that_is_no_packed_set_is_named(tmp_path, examples, damage):
    file = written(tmp_path, examples, None)
    if damage == 'truncated':
        file.write_bytes(file.read_bytes()[:-300])
    elif damage == 'other':
        np.savez(file, conv1_1_W=np.zeros(3))
    else:
        file.write_text('<html>')
    with pytest.raises(UserError, match=rf'{file}: no packed data set .*; pack it again') as caught:
        array_file.read(file)
    assert '\n' not in str(caught.value)
