import shutil

import numpy as np
import pytest
from PIL import ExifTags, Image
from small_pictures import quarters, save, top_left
from small_sets import EMPTY, class_folders, prepared

from cosegnet_jax.data.files import photos
from cosegnet_jax.runtime.errors import UserError


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
        'look like numbers of classes',
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
    'gray': lambda path: quarters('L').save(path),
}


@pytest.mark.parametrize('kind', USABLE)
def test_odd_photos_that_can_be_used_are_normalized(root, kind):
    class_folders(root)
    USABLE[kind](root / 'images/cat/a.png')
    metadata, records = prepared('folder/mine', root)
    assert metadata['rejected'] == []
    expected = photos.read(root / 'images/cat/a.png', root / 'masks/cat/a.png').photo
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
