import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import ExifTags, Image
from small_pictures import palette, quarters, save, top_left

from cosegnet_jax.data import builders, photos
from cosegnet_jax.data.builders import base
from cosegnet_jax.data.builders.summary import summary
from cosegnet_jax.data.prepare import prepare
from cosegnet_jax.errors import UserError

EMPTY = Image.new('L', (40, 20))


# ------------------------------------------------------------------------------------- small sets of each


def class_folders(root):
    """Two classes with three photos each, of which one does not show its class."""
    for name in ('cat/a.png', 'cat/b.jpg', 'cat/c.jpg', 'dog/a.jpg', 'dog/b.jpg'):
        save(root, name)
    save(root, 'dog/c.jpg', mask=EMPTY)


def seven_classes(root):
    """Twelve photos of each of the seven classes, and of another."""
    for name in ('bird', 'boat', 'car', 'cat', 'cow', 'dog', 'plane', 'sheep'):
        for number in range(12):
            save(root, f'{name}/{number}.png')


def object_discovery(root):
    """The layout of the published archive."""
    for directory in ('Airplane100', 'Car100', 'Horse100'):
        (root / directory / 'GroundTruth').mkdir(parents=True)
        for number in range(3):
            path = root / directory / f'{number:04d}.jpg'
            quarters().save(path)
            path.write_bytes(path.read_bytes() + directory.encode())  # the classes share no photo
            mask = EMPTY if number == 2 else top_left().convert('1')
            mask.save(root / directory / 'GroundTruth' / f'{number:04d}.png')
    save(root / 'Car', '0001.png')


def groups(root):
    """The layout of the published archive, with group names as long as its own."""
    for group in ('018 Agra Taj Mahal-Inde du Nord-Chander', '025-Gymnastics-PD'):
        for number in range(2):
            save(root, f'{group}/{number}.png')
    (root / 'masks').rename(root / 'ground_truth')


def development_kit(root):
    """The layout of the archive: four images, three of them with masks, of aeroplane (1) and cat (8)."""
    kit = root / 'VOCdevkit' / 'VOC2012'
    for name in ('JPEGImages', 'SegmentationClass', 'ImageSets/Segmentation'):
        (kit / name).mkdir(parents=True)
    (kit / 'ImageSets/Segmentation/trainval.txt').write_text('2007_03\n2007_01\n2007_02\n')
    for number, (left, right) in enumerate([(1, 8), (8, 0), (8, 1)], 1):
        indices = np.zeros((20, 40), np.uint8)
        indices[:, :10], indices[:, 10:20], indices[:, 20:25] = left, right, 255
        quarters().save(kit / f'JPEGImages/2007_{number:02d}.jpg')
        palette(indices).save(kit / f'SegmentationClass/2007_{number:02d}.png')
    quarters().save(kit / 'JPEGImages/2007_04.jpg')


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


# ------------------------------------------------------------------------------------- what each one holds


@pytest.fixture
def root(tmp_path):
    return tmp_path / 'my set'


def prepared(name, root, make=None):
    """Metadata and records of the set in `root`, made there first."""
    if make:
        make(root)
    builder, _ = prepare(name, str(root), str(root.parent / 'tfds'))
    return builder.info.metadata, list(builder.as_data_source('train'))


def test_class_folders(root):
    metadata, records = prepared('pascal_coseg', root, class_folders)
    names = ['cat/a', 'cat/b', 'cat/c', 'dog/a', 'dog/b', 'dog/c']
    assert metadata == {
        'classes': ['cat', 'dog'],
        'filenames': names,
        'labels': [[0], [0], [0], [1], [1], [1]],
        'shares': [[0.25], [0.25], [0.25], [0.25], [0.25], [0]],
        'rejected': [],
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


def test_msrc_draws_the_same_ten_of_seven_classes(root):
    metadata, _ = prepared('msrc', root, seven_classes)
    assert len(metadata['filenames']) == 70
    assert 'boat' not in metadata['classes']
    assert metadata['filenames'] == sorted(metadata['filenames'])
    missing = {f'{name}/{n}' for name in metadata['classes'] for n in range(12)} - {*metadata['filenames']}
    assert {name for name in missing if name.startswith('bird')} == {'bird/10', 'bird/4'}  # for ever
    assert len({name.split('/')[1] for name in missing}) > 4  # not the same numbers in each class


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


# ------------------------------------------------------------------------------------------- odd files


def truncated(path):
    path.unlink()
    quarters(size=(199, 200)).save(path.with_suffix('.jpg'))
    path.with_suffix('.jpg').write_bytes(path.with_suffix('.jpg').read_bytes()[:-200])


def many_pixels(path):
    quarters(size=(400, 201)).save(path)


def link_to_nothing(path):
    path.unlink()
    path.symlink_to('nowhere.png')


ODD = {
    'truncated JPEG': ('images/cat/a.jpg', truncated, 'cannot be read|not an image'),
    'decompression bomb': ('images/cat/a.png', many_pixels, 'exhaust the memory'),
    'empty file': ('images/cat/a.png', lambda path: path.write_bytes(b''), 'an empty file'),
    'link to nothing': ('images/cat/a.png', link_to_nothing, 'a symbolic link to nowhere.png'),
    'two photos of one stem': ('images/cat/a.jpg', lambda path: quarters().save(path), 'share the mask'),
    'mask of another size': ('masks/cat/a.png', lambda path: top_left((20, 20)).save(path), '20x20 pixels'),
    'missing mask': ('masks/cat/a.png', lambda path: path.unlink(), 'missing mask'),
    'mask that links to nothing': ('masks/cat/a.png', link_to_nothing, 'a symbolic link to nowhere.png'),
    'class numbers': (
        'masks/cat/a.png',
        lambda path: Image.new('L', (40, 20), 7).save(path),
        'class numbers',
    ),
}


@pytest.mark.parametrize('kind', ODD)
def test_what_cannot_be_used_is_named_and_the_rest_prepared(root, kind, monkeypatch):
    name, spoil, reason = ODD[kind]
    class_folders(root)
    spoil((root / name).with_suffix('.png') if spoil is truncated else root / name)
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 40_000)
    metadata, records = prepared('folder/mine', root)
    assert metadata['filenames'] == ['cat/b', 'cat/c', 'dog/a', 'dog/b', 'dog/c']
    assert len(records) == 5
    (rejected,) = metadata['rejected']
    assert rejected.startswith(f'{root / name}')
    assert any(part in rejected for part in reason.split('|'))


def turned():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return exif


USABLE = {
    'sixteen bits': lambda path: Image.new('I;16', (40, 20), 40_000).save(path),
    'CMYK': lambda path: quarters('CMYK').save(path, 'JPEG'),
    'turned': lambda path: quarters().save(path, 'JPEG', exif=turned()),
    'transparent': lambda path: quarters('RGBA').save(path),
    'grey': lambda path: quarters('L').save(path),
}


@pytest.mark.parametrize('kind', USABLE)
def test_odd_photos_that_can_be_used_are_normalised(root, kind):
    class_folders(root)
    USABLE[kind](root / 'images/cat/a.png')
    metadata, records = prepared('folder/mine', root)
    assert metadata['rejected'] == []
    expected, _ = photos.read(root / 'images/cat/a.png', root / 'masks/cat/a.png')
    np.testing.assert_array_equal(records[0]['image'], expected)


def test_names_with_spaces_and_other_letters_and_links_out_of_the_folder(root):
    class_folders(root)
    save(root, 'Bären im Wald/Bär 1.png')
    save(root, 'Bären im Wald/熊 №2.png')
    for kind in ('images', 'masks'):
        elsewhere = (root / kind / 'cat').rename(root.parent / f'{kind} of cats')
        (root / kind / 'cat').symlink_to(elsewhere)
    metadata, records = prepared('folder/mine', root)
    assert metadata['classes'] == ['Bären im Wald', 'cat', 'dog']
    assert [record['filename'].decode() for record in records] == metadata['filenames']
    assert metadata['filenames'][:3] == ['Bären im Wald/Bär 1', 'Bären im Wald/熊 №2', 'cat/a']
    assert metadata['rejected'] == []


def test_full_and_empty_masks(root):
    class_folders(root)
    Image.new('L', (40, 20), 255).save(root / 'masks/cat/a.png')
    EMPTY.save(root / 'masks/cat/b.png')
    metadata, records = prepared('folder/mine', root)
    assert metadata['shares'][:3] == [[1], [0], [0.25]]
    assert records[0]['mask'].min() == 1


def test_class_with_one_usable_image_is_rejected_by_name(root):
    class_folders(root)
    for stem in 'ab':
        (root / f'masks/cat/{stem}.png').unlink()
    metadata, _ = prepared('folder/mine', root)
    assert metadata['classes'] == ['dog']
    assert metadata['filenames'] == ['dog/a', 'dog/b', 'dog/c']
    assert [text.split(':')[0] for text in metadata['rejected']][2:] == ['cat']


def test_class_without_usable_images_is_rejected_by_name(root):
    class_folders(root)
    (root / 'images/cow').mkdir()
    metadata, _ = prepared('folder/mine', root)
    assert metadata['classes'] == ['cat', 'dog']
    assert metadata['rejected'] == ['cow: a class without an image that can be used']


def test_nothing_usable_is_an_error(root):
    class_folders(root)
    shutil.rmtree(root / 'masks/cat')
    shutil.rmtree(root / 'masks/dog')
    with pytest.raises(
        UserError, match=r'no image that can be used; the first of 8 problems: .*missing mask'
    ):
        prepared('folder/mine', root)
    assert not list(root.parent.glob('tfds/folder/mine/*'))


# ----------------------------------------------------------------------------------------- summary, names


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


def test_summary_counts_classes_outliers_and_object_pixels(root):
    class_folders(root)
    (root / 'masks/cat/a.png').unlink()
    builder, _ = prepare('pascal_coseg', str(root), str(root.parent / 'tfds'))
    lines = summary(builder).splitlines()
    assert [line.split() for line in lines[:4]] == [
        ['class', 'images', 'outliers', 'object'],
        ['cat', '2', '0', '25.0%'],
        ['dog', '3', '1', '16.7%'],
        ['all', '5', '1', '20.0%'],
    ]
    assert lines[5:7] == [
        'differs from the publication: 2 classes instead of 20',
        'differs from the publication: 5 images instead of 1,037',
    ]
    assert lines[7].startswith(f'rejected: {root / "masks/cat/a.png"}: missing mask')
    assert lines[8].startswith('pascal_coseg/1.0.0: ')
    assert lines[8].endswith(str(root.parent / 'tfds/pascal_coseg/1.0.0'))


def test_summary_compares_outliers(root):
    object_discovery(root)
    builder, _ = prepare('internet', str(root), str(root.parent / 'tfds'))
    assert 'differs from the publication: 1 outliers of airplane instead of 18' in summary(builder)


def test_summary_says_that_counts_are_as_published(root):
    seven_classes(root)
    builder, _ = prepare('msrc', str(root), str(root.parent / 'tfds'))
    assert 'as published: 7 classes, 70 images' in summary(builder)


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
