import dataclasses
import os
import re

import numpy as np
import pytest
from PIL import Image

from cosegnet_jax import config as configs
from cosegnet_jax import data
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training.training_images import TrainedOn

CONFIG = configs.Config(image_size=32)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Ten photos of noise in each of two classes."""
    rng = np.random.default_rng(0)
    for name in ('cow', 'car'):
        for kind, channels in (('images', (3,)), ('masks', ())):
            place = tmp_path / 'my_data' / kind / name
            place.mkdir(parents=True)
            for number in range(10):
                pixels = rng.integers(0, 256, (40, 40, *channels)).astype(np.uint8)
                Image.fromarray(pixels if channels else pixels // 128 * 255).save(place / f'{number}.png')
    (tmp_path / 'link').symlink_to(tmp_path / 'my_data')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reading(root, name='mine', part='test', **keys):
    return dataclasses.replace(
        CONFIG,
        data=configs.Data(name=name, root=root, **keys),
        evaluation=configs.Evaluation(part=part),
    )


def parts(config, *names):
    examples = data.load(config)
    return [data.part(examples, config, name) for name in names]


@pytest.fixture
def trained_on(folder):
    config = reading('my_data')
    return TrainedOn.of(*parts(config, 'train', 'validation'), config)


@pytest.mark.parametrize('part', ['test', 'validation', 'all'])
@pytest.mark.parametrize('root', ['my_data', 'my_data/', './my_data', 'ABSOLUTE', 'link'])
@pytest.mark.parametrize('name', ['mine', 'another'])
def test_photos_that_trained_are_refused_however_the_folder_is_spelled(trained_on, folder, root, name, part):
    root = str(folder / 'my_data') if root == 'ABSOLUTE' else root
    config = reading(root, name, part, split=1)  # whose parts hold photos of the other split's training part
    [examples] = parts(config, part)
    with pytest.raises(UserError, match=r'^c\w+/\d is one of \d+ photos .* that the run was trained on'):
        trained_on.check_unseen(examples, config)


def test_photos_in_a_larger_set_of_other_names_are_refused(trained_on, folder):
    """As VOC2012 holds the photos of PASCAL co-segmentation."""
    for kind in ('images', 'masks'):
        place = folder / 'larger' / kind / 'thing'
        place.mkdir(parents=True)
        for number, file in enumerate(sorted((folder / 'my_data' / kind / 'cow').iterdir())):
            os.link(file, place / f'photo{number}.png')
    config = reading('larger', 'voc2012', 'all')
    [examples] = parts(config, 'all')
    with pytest.raises(UserError, match=re.escape('of the all part of voc2012 that the run was trained on')):
        trained_on.check_unseen(examples, config)


def test_a_packed_set_of_the_same_photos_is_refused(trained_on, folder):
    from cosegnet_jax.data import array_file

    examples = data.load(reading('my_data'))
    file = array_file.path('packed', 'mine', 32)
    array_file.write(file, dataclasses.replace(examples, name='packed'), None)
    config = reading('', 'mine', 'test', prepared_dir='packed', split=1)
    [scored] = parts(config, 'test')
    with pytest.raises(UserError, match='that the run was trained on'):
        trained_on.check_unseen(scored, config)


def test_the_own_test_part_has_not_been_seen_and_other_parts_say_what_was(trained_on):
    config = reading('my_data')
    test, validation, train = parts(config, 'test', 'validation', 'train')
    assert trained_on.check_unseen(test, config) == 0
    of_validation = reading('my_data', part='validation')
    assert trained_on.check_unseen(validation, of_validation) == len(validation)  # chose the checkpoint
    assert trained_on.check_unseen(train, reading('my_data', part='train')) == len(train)
