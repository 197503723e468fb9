import dataclasses
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import ExifTags, Image
from small_pictures import palette, quarters, save, top_left

from cosegnet_jax.data import builders, folder, prepared_set
from cosegnet_jax.data.builders.preparation import prepare
from cosegnet_jax.data.files import photos
from cosegnet_jax.data.stored_images import Stored
from cosegnet_jax.runtime.errors import UserError


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Photos and masks of many kinds, in two classes, and the prepared set of them in `tfds`."""
    root = tmp_path_factory.mktemp('data') / 'mine'
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    save(root, 'cat/plain.jpg', quarters(size=(57, 43)), top_left((57, 43)))
    save(root, 'cat/cmyk.tif', quarters('CMYK'))
    save(root, 'cat/deep.png', Image.new('I;16', (40, 20), 40_000))
    save(root, 'cat/turned.webp', quarters(), Image.new('L', (40, 20), 255))
    quarters(size=(40, 20)).save(root / 'images/cat/turned.webp', exif=exif)
    save(root, 'dog/outlier.png', mask=Image.new('L', (40, 20)))
    save(root, 'dog/palette.gif', mask=palette(np.asarray(top_left()) // 17))
    dot = np.zeros((20, 40), np.uint8)
    dot[0, 0] = 1
    save(root, 'dog/speck.bmp', mask=Image.fromarray(dot))
    prepare('folder/mine', str(root), str(root.parent / 'tfds'))
    return root


@pytest.fixture
def data_dir(root):
    return root.parent / 'tfds'


@pytest.mark.parametrize('held', [False, True], ids=['stored', 'decoded'])
def test_a_prepared_folder_is_the_folder(root, data_dir, held):
    expected = folder.load(root, 8)
    found = prepared_set.load('folder/mine', data_dir, 8)
    assert isinstance(found.images, Stored)
    found = found.decoded() if held else found
    for field in dataclasses.fields(found):
        if field.name == 'name':
            continue
        ours, theirs = getattr(found, field.name), getattr(expected, field.name)
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs), err_msg=field.name, strict=True)
    assert found.name == 'folder/mine'
    assert found.visible.sum() == 6


def test_a_mask_is_read_without_decoding_its_photo(data_dir, monkeypatch):
    examples = prepared_set.load('folder/mine', data_dir, 8)
    decoded = []
    monkeypatch.setattr(photos, 'squash_photo', lambda pixels, side: decoded.append('photo'))
    assert examples.masks[0].shape == (8, 8)
    assert not decoded


def test_records_are_read_once_for_an_image_and_its_mask(data_dir, monkeypatch):
    read = []
    source = type(builders.make('folder/mine', data_dir).as_data_source('train'))
    whole = source.__getitem__
    monkeypatch.setattr(source, '__getitem__', lambda self, key: read.append(key) or whole(self, key))
    examples = prepared_set.load('folder/mine', data_dir, 8)
    for row in range(7):
        examples.images[row], examples.masks[row]
    assert read == [*range(7)]


def test_threads_read_what_one_reader_reads(data_dir):
    examples = prepared_set.load('folder/mine', data_dir, 8)
    rows = np.random.default_rng(0).integers(0, 7, 300)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda row: examples.images[int(row)], rows))
    np.testing.assert_array_equal(found, np.asarray(examples.images)[rows])


def test_several_classes_an_image(tmp_path, monkeypatch):
    kit = tmp_path / 'VOCdevkit' / 'VOC2012'
    for name in ('JPEGImages', 'SegmentationClass', 'ImageSets/Segmentation'):
        (kit / name).mkdir(parents=True)
    (kit / 'ImageSets/Segmentation/trainval.txt').write_text('a\nb\nc\n')
    for stem, (left, right) in {'a': (1, 8), 'b': (8, 0), 'c': (8, 1)}.items():
        quarters().save(kit / f'JPEGImages/{stem}.jpg')
        palette(np.repeat([[left, right]], 20, 0).repeat(20, 1)).save(kit / f'SegmentationClass/{stem}.png')
    monkeypatch.setattr(tfds.download.DownloadManager, 'download_and_extract', lambda self, url: tmp_path)
    prepare('voc2012', '', str(tmp_path / 'tfds'))
    examples = prepared_set.load('voc2012', tmp_path / 'tfds', 2)
    assert examples.classes == ('aeroplane', 'cat')
    np.testing.assert_array_equal(examples.labels, [[0, 1], [1, -1], [0, 1]])
    np.testing.assert_array_equal(examples.visible, [[True, True], [True, False], [True, True]])
    np.testing.assert_array_equal(np.asarray(examples.masks)[:, 0], [[1, 2], [1, 0], [2, 1]])


def test_a_set_that_is_not_prepared_names_the_command(tmp_path):
    with pytest.raises(UserError) as caught:
        prepared_set.load('pascal_coseg', tmp_path, 8)
    message = str(caught.value)
    assert str(tmp_path / 'pascal_coseg') in message
    assert f'cosegnet prepare pascal_coseg --data_dir={tmp_path}' in message


def test_an_unknown_set_names_the_nearest(tmp_path):
    with pytest.raises(UserError, match=r'did you mean pascal_coseg\?'):
        prepared_set.load('pascal-coseg', tmp_path, 8)


def test_a_set_in_another_format_is_an_error(root, tmp_path):
    builder = builders.make('folder/mine', tmp_path)
    config = tfds.download.DownloadConfig(manual_dir=root)
    builder.download_and_prepare(download_config=config, file_format='tfrecord')
    with pytest.raises(UserError, match='another format; remove it'):
        prepared_set.load('folder/mine', tmp_path, 8)


def test_preparing_and_reading_take_no_tensorflow(root, tmp_path):
    program = f"""
from importlib.machinery import PathFinder
find = PathFinder.find_spec  # finds no TensorFlow from here on, as if it were not installed:
PathFinder.find_spec = lambda name, *args: None if name == 'tensorflow' else find(name, *args)
from cosegnet_jax.cli import prepare
from cosegnet_jax.data import prepared_set
prepare.prepare('folder/again', {str(root)!r}, {str(tmp_path)!r})
print(prepared_set.load('folder/again', {str(tmp_path)!r}, 8).decoded().images.sum())
"""
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=True)
    assert int(done.stdout) == folder.load(root, 8).images.sum()


def test_importing_the_module_imports_neither_tensorflow_nor_tfds():
    program = """
import sys
import cosegnet_jax.data.prepared_set, cosegnet_jax.data.folder, cosegnet_jax.data.files.photos
print([name for name in ('tensorflow', 'tensorflow_datasets') if name in sys.modules])
"""
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
