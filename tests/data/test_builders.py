import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from small_pictures import palette, quarters, top_left
from small_sets import class_folders, development_kit, groups, object_discovery, prepared, seven_classes

from cosegnet_jax.data import builders
from cosegnet_jax.data.builders import base
from cosegnet_jax.runtime.errors import UserError


class Fakes:
    """The small set of a builder, in place of the published files."""

    MOCK_OUT_FORBIDDEN_OS_FUNCTIONS = False  # these builders read the user's own disk

    @classmethod
    def setUpClass(cls):
        cls.EXAMPLE_DIR = tempfile.mkdtemp()
        cls.make(Path(cls.EXAMPLE_DIR))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.EXAMPLE_DIR)


class PascalCosegTest(Fakes, tfds.testing.DatasetBuilderTestCase):
    make = staticmethod(class_folders)
    DATASET_CLASS = builders.PascalCoseg
    SPLITS = {'train': 6}  # noqa: RUF012


class InternetTest(Fakes, tfds.testing.DatasetBuilderTestCase):
    make = staticmethod(object_discovery)
    DATASET_CLASS = builders.Internet
    SPLITS = {'train': 9}  # noqa: RUF012


class MsrcTest(Fakes, tfds.testing.DatasetBuilderTestCase):
    make = staticmethod(seven_classes)
    DATASET_CLASS = builders.Msrc
    SPLITS = {'train': 70}  # noqa: RUF012
    BUILDER_CONFIG_NAMES_TO_TEST = ['ten']  # noqa: RUF012


class IcosegTest(Fakes, tfds.testing.DatasetBuilderTestCase):
    make = staticmethod(groups)
    DATASET_CLASS = builders.Icoseg
    SPLITS = {'train': 4}  # noqa: RUF012


class Voc2012Test(Fakes, tfds.testing.DatasetBuilderTestCase):
    make = staticmethod(development_kit)
    DATASET_CLASS = builders.Voc2012
    SPLITS = {'train': 3}  # noqa: RUF012


class FolderTest(Fakes, tfds.testing.DatasetBuilderTestCase):
    make = staticmethod(class_folders)
    DATASET_CLASS = builders.Folder
    SPLITS = {'train': 6}  # noqa: RUF012
    BUILDER_CONFIG_NAMES_TO_TEST = [tfds.core.BuilderConfig(name='mine')]  # noqa: RUF012


class ShapesTest(Fakes, tfds.testing.DatasetBuilderTestCase):
    make = staticmethod(lambda root: None)
    DATASET_CLASS = builders.Shapes
    SPLITS = {'train': 300}  # noqa: RUF012
    BUILDER_CONFIG_NAMES_TO_TEST = ['64']  # noqa: RUF012


def test_class_folders(root):
    metadata, records = prepared('pascal_coseg', root, class_folders)
    names = ['cat/a', 'cat/b', 'cat/c', 'dog/a', 'dog/b', 'dog/c']
    assert metadata == {
        'classes': ['cat', 'dog'],
        'filenames': names,
        'labels': [[0], [0], [0], [1], [1], [1]],
        'shares': [[0.25], [0.25], [0.25], [0.25], [0.25], [0]],
        'rejected': [],
        'remarks': [],
        'mask_rules': ['', 'auto'],
    }
    assert [record['filename'].decode() for record in records] == names
    assert [list(record['labels']) for record in records] == metadata['labels']
    np.testing.assert_array_equal(records[0]['image'], np.asarray(quarters()))
    np.testing.assert_array_equal(records[0]['mask'][..., 0], np.asarray(top_left()) > 0)
    assert records[0]['image'].dtype == records[0]['mask'].dtype == np.uint8
    assert not records[5]['mask'].any()


def test_internet_has_three_classes_with_outliers(root):
    metadata, records = prepared('internet', root, object_discovery)
    assert metadata['classes'] == ['airplane', 'car', 'horse']
    assert metadata['filenames'][:3] == ['airplane/0000', 'airplane/0001', 'airplane/0002']
    assert metadata['shares'] == [[0.25], [0.25], [0]] * 3
    assert len(records) == 9


@pytest.mark.parametrize('part', ['Airplane100', 'Horse100'])
def test_internet_without_one_of_its_folders(root, part):
    object_discovery(root)
    shutil.rmtree(root / part)
    with pytest.raises(UserError, match='no such folder') as caught:
        prepared('internet', root)
    assert str(root / part) in str(caught.value)


def test_msrc_takes_the_first_ten_by_name_of_seven_classes(root):
    metadata, _ = prepared('msrc', root, seven_classes)
    assert len(metadata['filenames']) == 70
    assert 'boat' not in metadata['classes']
    assert metadata['filenames'] == sorted(metadata['filenames'])
    birds = {name for name in metadata['filenames'] if name.startswith('bird/')}
    assert birds == {f'bird/{number}' for number in (*range(8), 10, 11)}  # 8 and 9 come last of twelve


def test_msrc_all(root):
    metadata, _ = prepared('msrc/all', root, seven_classes)
    assert len(metadata['filenames']) == 96
    assert 'boat' in metadata['classes']


def test_icoseg_groups_are_classes(root):
    metadata, _ = prepared('icoseg', root, groups)
    assert metadata['classes'] == ['018 Agra Taj Mahal-Inde du Nord-Chander', '025-Gymnastics-PD']
    assert metadata['filenames'][0] == '018 Agra Taj Mahal-Inde du Nord-Chander/0'


@pytest.fixture
def voc(root, monkeypatch):
    """The development kit in place of the download."""
    development_kit(root)
    download = tfds.download.DownloadManager
    monkeypatch.setattr(download, 'download_and_extract', lambda self, url: root)
    return root / 'VOCdevkit' / 'VOC2012'


def test_voc_masks_number_the_classes_of_their_image(voc, root):
    metadata, records = prepared('voc2012', root)
    assert metadata['classes'] == ['aeroplane', 'cat']
    assert metadata['filenames'] == ['aeroplane/2007_03', 'aeroplane/2007_01', 'cat/2007_02']
    assert metadata['labels'] == [[0, 1], [0, 1], [1]]
    assert metadata['shares'] == [[0.25, 0.25], [0.25, 0.25], [0.25]]
    stripes = [record['mask'][0, ::10, 0].tolist() for record in records]
    assert stripes == [[2, 1, 0, 0], [1, 2, 0, 0], [1, 0, 0, 0]]  # the border is background


def test_voc_class_of_one_image_is_left_out_of_masks_and_labels(voc, root):
    (voc / 'ImageSets/Segmentation/trainval.txt').write_text('2007_01\n2007_02\n')
    metadata, records = prepared('voc2012', root)
    assert metadata['classes'] == ['cat']
    assert metadata['filenames'] == ['aeroplane/2007_01', 'cat/2007_02']
    assert records[0]['mask'][0, ::10, 0].tolist() == [0, 1, 0, 0]
    assert metadata['rejected'] == [
        'aeroplane: a class with one image that can be used, and a pair takes two'
    ]


@pytest.mark.parametrize(
    ('indices', 'reason'),
    [(palette(np.zeros((20, 40))), 'classes ()'), (palette(np.full((20, 40), 99)), '99')],
)
def test_voc_mask_without_a_known_class_is_rejected(voc, root, indices, reason):
    indices.save(voc / 'SegmentationClass/2007_01.png')
    metadata, _ = prepared('voc2012', root)
    assert metadata['filenames'] == ['aeroplane/2007_03', 'cat/2007_02']
    assert metadata['rejected'][0].startswith(f'{voc / "SegmentationClass/2007_01.png"}: ')
    assert reason in metadata['rejected'][0]


def test_voc_that_cannot_be_downloaded(root, monkeypatch):
    def unreachable(self, url):
        raise ConnectionError(url)

    monkeypatch.setattr(tfds.download.DownloadManager, 'download_and_extract', unreachable)
    with pytest.raises(UserError, match=r'VOCtrainval.*tar \(ConnectionError: https.*\): .*--manual_dir'):
        prepared('voc2012', root)


def test_voc_archive_has_a_checksum():
    (info,) = builders.Voc2012.url_infos.values()
    assert (info.size, info.filename) == (1999639040, 'VOCtrainval_11-May-2012.tar')


def test_keys_keep_the_order_of_large_sets():
    rows = [
        base.Row(f'a/{n}', ('a',), (1,), (0.5,), lambda: (b'', np.zeros((1, 1), np.uint8)))
        for n in range(600)
    ]
    keys = [key for key, _ in builders.Shapes()._generate_examples(rows)]
    assert keys == sorted(set(keys))
    assert keys[-1] < 2**128
    buckets = {tfds.core.shuffle.get_bucket_number(key, 1000) for key in keys}
    assert len(buckets) == 600


@pytest.mark.parametrize(
    ('name', 'hint'),
    [
        ('pascal_cosge', 'did you mean pascal_coseg?'),
        ('msrc/tenn', 'did you mean msrc/ten?'),
        ('floder/mine', 'did you mean folder/mine?'),
        ('icoseg/ten', 'did you mean icoseg?'),
        ('imagenet21k', 'there are icoseg, internet, '),
        ('folder', 'name your set folder/NAME'),
        ('folder/../mine', 'name your set folder/NAME'),
    ],
)
def test_unknown_names(tmp_path, name, hint):
    with pytest.raises(UserError) as caught:
        builders.make(name, tmp_path)
    assert str(caught.value).startswith(f'{name}: ')
    assert hint in str(caught.value)
