import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_pictures import save

from cosegnet_jax import config as configs
from cosegnet_jax import data
from cosegnet_jax.data.builders.preparation import prepare
from cosegnet_jax.data.sampling.balanced import BalancedSampler
from cosegnet_jax.data.sampling.triplets import TripletSampler
from cosegnet_jax.data.stored_images import Stored
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError

SMALL = configs.Config(image_size=32, data=configs.Data(images_per_class=10))
ROOT = Path(__file__).parents[2]


def with_data(**settings):
    return dataclasses.replace(SMALL, data=dataclasses.replace(SMALL.data, **settings))


@pytest.fixture(scope='module')
def examples():
    return data.load(SMALL)


def test_listed_splits_are_those_that_are_drawn(examples, tmp_path):
    """The command's output, given back as `split_file`."""
    command = [
        sys.executable,
        '-m',
        'cosegnet_jax',
        'list-splits',
        '--config=configs/shapes.py',
        '--count=2',
    ]
    command += ['--config.image_size=32', '--config.data.images_per_class=10']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    path = tmp_path / 'splits.json'
    path.write_text(done.stdout)
    assert len(json.loads(done.stdout)) == 2
    for split in (0, 1):
        for part in ('train', 'validation', 'test'):
            drawn = data.part(examples, with_data(split=split), part)
            listed = data.part(examples, with_data(split=split, split_file=str(path)), part)
            assert drawn.filenames == listed.filenames


def test_an_empty_part_of_a_split_file_names_the_file(examples, tmp_path):
    path = tmp_path / 'splits.json'
    path.write_text(json.dumps([{'train': list(examples.filenames), 'validation': [], 'test': []}]))
    with pytest.raises(UserError, match=r'no image in the test part; .*splits.json lists none'):
        data.part(examples, with_data(split_file=str(path)), 'test')


@pytest.mark.parametrize(('sampler', 'kind'), [('triplets', TripletSampler), ('balanced', BalancedSampler)])
def test_the_sampler_draws_batches_of_the_checked_shape(examples, sampler, kind):
    config = dataclasses.replace(with_data(sampler=sampler), train=configs.Train(batch_triplets=8))
    drawn = data.sampler(examples, config)
    assert isinstance(drawn, kind)
    assert data.check_batch(config, meshes.data_mesh()) == drawn.shape == drawn.draw(0).shape


def test_devices_share_the_images_of_balanced_batches_not_the_classes():
    """Seven classes, as MSRC has, on eight devices."""
    train = configs.Train(batch_classes=7, batch_images_per_class=8)
    config = dataclasses.replace(with_data(sampler='balanced'), train=train)
    assert data.check_batch(config, meshes.data_mesh()) == (56, 1)
    odd = dataclasses.replace(config, train=configs.Train(batch_classes=7, batch_images_per_class=3))
    with pytest.raises(UserError, match=r'batch_images_per_class=21: must be a multiple of the 8 devices'):
        data.check_batch(odd, meshes.data_mesh())


def test_a_part_is_decoded_where_it_fits(examples):
    stored = dataclasses.replace(
        examples,
        images=Stored(examples.images.__getitem__, np.arange(len(examples)), examples.images.shape[1:]),
        masks=Stored(examples.masks.__getitem__, np.arange(len(examples)), examples.masks.shape[1:]),
    )
    part = data.part(examples, SMALL, 'train')
    held = data.part(stored, with_data(memory_gib=part.nbytes / 2**30), 'train')
    assert isinstance(held.images, np.ndarray)
    np.testing.assert_array_equal(held.images, part.images)
    np.testing.assert_array_equal(held.masks, part.masks)
    left = data.part(stored, with_data(memory_gib=(part.nbytes - 1) / 2**30), 'train')
    assert isinstance(left.images, Stored)
    np.testing.assert_array_equal(np.asarray(left.images), part.images)


def test_a_prepared_set_is_found_by_its_name(tmp_path):
    root = tmp_path / 'mine'
    for name in ('cat/a', 'cat/b', 'dog/a', 'dog/b'):
        save(root, f'{name}.png')
    prepare('folder/mine', str(root), str(tmp_path / 'tfds'))
    config = with_data(name='folder/mine', prepared_dir=str(tmp_path / 'tfds'))
    part = data.part(data.load(config), config, 'train')
    assert part.filenames == ('cat/a', 'cat/b', 'dog/a', 'dog/b')
    assert isinstance(part.images, np.ndarray)


def test_a_name_that_is_no_set_says_how_to_name_a_folder(tmp_path):
    with pytest.raises(UserError, match=r'mine: no such data set; .*; or set config\.data\.root'):
        data.load(with_data(name='mine', prepared_dir=str(tmp_path)))
