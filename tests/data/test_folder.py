import os
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from small_pictures import BLUE, GREEN, RED, quarters, save, top_left

from cosegnet_jax.data import folder
from cosegnet_jax.data.masks.mask_rules import MaskRules, parse
from cosegnet_jax.runtime.errors import UserError


@pytest.fixture
def root(tmp_path):
    """Two classes with two photos each; the tests spoil `cat/a`."""
    for name in ('dog/a', 'dog/b', 'cat/a', 'cat/b'):
        save(tmp_path / 'pets', f'{name}.png')
    return tmp_path / 'pets'


@pytest.fixture
def photo(root):
    return root / 'images/cat/a.png'


@pytest.fixture
def mask(root):
    return root / 'masks/cat/a.png'


def assert_error(root, *parts):
    """Loading fails with one line that has all of `parts`."""
    with pytest.raises(UserError) as caught:
        folder.load(root, 8)
    message = str(caught.value)
    assert '\n' not in message
    for part in parts:
        assert str(part) in message


def test_examples_are_sorted_by_class_and_name(root):
    examples = folder.load(root, 8)
    assert examples.name == 'pets'
    assert examples.classes == ('cat', 'dog')
    assert examples.filenames == ('cat/a', 'cat/b', 'dog/a', 'dog/b')
    np.testing.assert_array_equal(examples.labels, [[0], [0], [1], [1]])


def test_photos_and_masks_are_squashed_to_bytes(root):
    examples = folder.load(str(root), 8)
    assert examples.images.shape == (4, 8, 8, 3)
    assert examples.images.dtype == examples.masks.dtype == np.uint8
    image = examples.images[0]
    corners = [image[0, 0], image[0, -1], image[-1, 0], image[-1, -1]]
    np.testing.assert_array_equal(corners, [RED, GREEN, BLUE, BLUE])
    np.testing.assert_array_equal(examples.masks[0], np.pad(np.ones((4, 4)), ((0, 4), (0, 4))))


def test_an_empty_mask_makes_an_outlier(root, mask):
    Image.new('L', (40, 20)).save(mask)
    examples = folder.load(root, 8)
    np.testing.assert_array_equal(examples.visible, [[False], [True], [True], [True]])
    assert not examples.masks[0].any()


def test_an_object_too_small_for_the_image_size_is_no_outlier(root, mask):
    dot = np.zeros((20, 40), np.uint8)
    dot[0, 0] = 255
    Image.fromarray(dot).save(mask)
    examples = folder.load(root, 8)
    assert not examples.masks[0].any()
    assert examples.visible.all()


def test_hidden_and_other_files_are_passed_over(root):
    (root / 'images/cat/.DS_Store').write_bytes(b'x')
    (root / 'images/cat/._a.jpg').write_bytes(b'x')
    (root / 'images/cat/notes.txt').write_text('x')
    (root / 'images/.cache').mkdir()
    (root / 'images/README.md').write_text('x')
    top_left().save(root / 'masks/cat/of_no_photo.png')
    assert len(folder.load(root, 8)) == 4


def test_names_with_spaces_and_letters_beyond_ascii(root):
    save(root, 'Bären im Wald/Bär 1.png')
    save(root, 'Bären im Wald/熊 №2.png')
    examples = folder.load(root, 8)
    assert examples.classes == ('Bären im Wald', 'cat', 'dog')
    assert examples.filenames[:2] == ('Bären im Wald/Bär 1', 'Bären im Wald/熊 №2')


def test_suffixes_in_capitals(root, photo, mask):
    photo.rename(photo.with_suffix('.PNG'))
    mask.rename(mask.with_suffix('.Png'))
    assert folder.load(root, 8).filenames[0] == 'cat/a'


def test_masks_of_other_formats(root, mask):
    mask.unlink()
    top_left().save(mask.with_suffix('.bmp'))
    assert folder.load(root, 8).masks[0].any()


def test_links_to_files_and_folders_elsewhere_are_followed(root, photo, mask, tmp_path):
    for path in (photo, mask, root / 'images/dog', root / 'masks/dog'):
        elsewhere = tmp_path / 'elsewhere' / path.relative_to(root)
        elsewhere.parent.mkdir(parents=True, exist_ok=True)
        path.rename(elsewhere)
        path.symlink_to(elsewhere)
    assert folder.load(root, 8).filenames == ('cat/a', 'cat/b', 'dog/a', 'dog/b')


@pytest.mark.parametrize('name', ['images/cat/a.png', 'masks/cat/a.png', 'images/dog', 'masks/dog'])
def test_link_to_nothing_is_an_error(root, name):
    path = root / name
    path.rename(root / 'gone')
    path.symlink_to(root / 'nowhere')
    assert_error(root, path, 'symbolic link', root / 'nowhere')


@pytest.mark.parametrize('part', ['.', 'images', 'masks'])
def test_missing_folder_is_an_error(root, part):
    shutil.rmtree(root / part)
    assert_error(root, root / part, 'no such folder')


def test_no_class_is_an_error(root):
    shutil.rmtree(root / 'images')
    (root / 'images').mkdir()
    assert_error(root, root / 'images', 'no class')


@pytest.mark.parametrize('count', [0, 1])
def test_class_without_a_pair_is_an_error(root, count):
    for path in sorted((root / 'images/cat').iterdir())[count:]:
        path.unlink()
    assert_error(root, root / 'images/cat', f'{count} photo')


def test_missing_mask_is_an_error(root, mask, photo):
    mask.unlink()
    assert_error(root, mask, photo, 'missing')


def test_missing_mask_folder_of_a_class_is_an_error(root):
    shutil.rmtree(root / 'masks/cat')
    assert_error(root, root / 'masks/cat/a.png')


def test_two_photos_of_one_name_are_an_error(root):
    quarters().save(root / 'images/cat/a.jpg')
    assert_error(root, root / 'images/cat/a.jpg', 'a.png', 'rename')


def test_two_masks_of_one_photo_are_an_error(root, photo):
    top_left().save(root / 'masks/cat/a.bmp')
    assert_error(root, root / 'masks/cat/a.bmp', 'a.png', photo)


def test_name_that_is_not_utf8_is_an_error(root, photo):
    os.rename(os.fsencode(photo), os.fsencode(photo.parent) + b'/b\xe4r.png')
    assert_error(root, 'b\\xe4r.png', 'UTF-8')


def test_unreadable_photo_is_an_error(root, photo):
    photo.write_bytes(b'<html>404</html>')
    assert_error(root, photo, 'not an image')


def test_real_photos():
    root = os.environ.get('COSEGNET_DATA')
    if not root:
        pytest.skip('set COSEGNET_DATA to a folder with images/<class>/* and masks/<class>/*.png')
    examples = folder.load(root, 64)
    assert examples.name == Path(root).resolve().name
    assert examples.masks.any((1, 2)).mean() > 0.5
    assert 0.01 < examples.masks.mean() < 0.9
    assert examples.images.std() > 20


@pytest.fixture
def rider(root):
    """`cat/a` is in `dog` too, where the lower three quarters are marked."""
    shutil.copy(root / 'images/cat/a.png', root / 'images/dog/z.png')
    lower = np.zeros((20, 40), np.uint8)
    lower[5:] = 255
    Image.fromarray(lower).save(root / 'masks/dog/z.png')
    return root


def test_a_photo_of_two_classes_is_one_image_that_shows_both(rider):
    examples = folder.load(rider, 8)
    assert examples.filenames == ('cat/a', 'cat/b', 'dog/a', 'dog/b')
    np.testing.assert_array_equal(examples.labels, [[0, 1], [0, -1], [1, -1], [1, -1]])
    np.testing.assert_array_equal(examples.visible, examples.labels >= 0)
    expected = np.zeros((8, 8), int)
    expected[2:] = 2
    expected[:4, :4] = 1  # where they overlap, the first class
    np.testing.assert_array_equal(examples.masks[0], expected)


def test_a_photo_twice_in_one_class_is_two_images(root):
    shutil.copy(root / 'images/cat/a.png', root / 'images/cat/c.png')
    shutil.copy(root / 'masks/cat/a.png', root / 'masks/cat/c.png')
    assert len(folder.load(root, 8)) == 5


def test_a_photo_and_its_mask_meet_however_their_accents_are_encoded(root):
    save(root, 'k\u00fche/b\u00e4r.png')
    save(root, 'k\u00fche/stier.png')
    for path in ('masks/k\u00fche/b\u00e4r.png', 'masks/k\u00fche'):
        path = root / path
        path.rename(path.with_name(unicodedata.normalize('NFD', path.name)))
    examples = folder.load(root, 8)
    assert examples.classes == ('cat', 'dog', 'k\u00fche')
    assert examples.filenames[-2:] == ('k\u00fche/b\u00e4r', 'k\u00fche/stier')
    assert examples.visible.all()


def test_two_folders_of_one_name_are_an_error(root):
    for name in ('k\u00fche', 'ku\u0308he'):
        save(root, f'{name}/a.png')
        save(root, f'{name}/b.png')
    assert_error(root, 'a second folder of this name', 'rename it')


def test_raw_files_are_an_error_unless_the_photo_is_beside_them(root):
    (root / 'images/cat/a.NEF').write_bytes(b'raw')
    assert len(folder.load(root, 8)) == 4
    (root / 'images/cat/z.cr3').write_bytes(b'raw')
    assert_error(root, root / 'images/cat/z.cr3', 'a RAW file', 'convert it')


def test_folders_that_systems_make_are_no_classes_and_are_counted_once(root):
    for name in ('@eaDir/a.png', '@eaDir/b.png', '#recycle/c.png'):
        save(root, name)
    examples = folder.load(root, 8)
    assert examples.classes == ('cat', 'dog')
    assert examples.remarks == (
        'left out 3 file(s) in folders that systems and programs make (#recycle, @eaDir)',
    )


def test_what_is_doubtful_is_said_once_and_names_the_files(root):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    for name in ('cat/a', 'cat/b', 'dog/a', 'dog/b'):
        quarters().save(root / f'images/{name}.png', exif=exif)
    Image.new('RGB', (40, 20)).save(root / 'images/dog/b.png')
    for path in root.glob('images/*/*'):
        path.write_bytes(path.read_bytes() + str(path).encode())  # no two are copies
    turned, black = folder.load(root, 8).remarks
    assert turned.startswith('cat/a, cat/b, dog/a: EXIF turns the photo')
    assert 'mask_orientation=stored' in turned
    assert black == 'dog/b: nearly black throughout'
    assert folder.load(root, 8, MaskRules(orientation='stored')).remarks == (black,)


def test_mask_rules_say_which_numbers_are_the_object_of_each_class(root):
    for name in ('cat', 'dog'):
        for stem in 'ab':
            halves = np.full((20, 40), 17, np.uint8)
            halves[:, 20:] = 99
            Image.fromarray(halves).save(root / f'masks/{name}/{stem}.png')
    assert_error(root, '17, 99', 'mask_values=')
    masks = folder.load(root, 8, MaskRules(parse('cat:17,dog:99'))).masks
    left, right = np.pad(np.ones((8, 4)), ((0, 0), (0, 4))), np.pad(np.ones((8, 4)), ((0, 0), (4, 0)))
    np.testing.assert_array_equal(masks, [left, left, right, right])
