import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from cosegnet_jax.data import folder
from cosegnet_jax.errors import UserError

RED, GREEN, BLUE = (200, 30, 20), (20, 180, 40), (10, 20, 220)


def quarters(mode='RGB', size=(40, 20)):
    """Red at the top left, green at the top right, blue below."""
    width, height = size
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = RED
    pixels[: height // 2, width // 2 :] = GREEN
    pixels[height // 2 :] = BLUE
    return Image.fromarray(pixels).convert(mode)


def top_left(size=(40, 20)):
    """Mask of the red quarter."""
    mask = np.zeros(size[::-1], np.uint8)
    mask[: size[1] // 2, : size[0] // 2] = 255
    return Image.fromarray(mask)


@pytest.fixture
def root(tmp_path):
    """Two classes with two photos each; the tests spoil `cat/a`."""
    for name in ('dog/a', 'dog/b', 'cat/a', 'cat/b'):
        for kind, image in (('images', quarters()), ('masks', top_left())):
            path = tmp_path / 'pets' / kind / f'{name}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)
    return tmp_path / 'pets'


@pytest.fixture
def photo(root):
    return root / 'images/cat/a.png'


@pytest.fixture
def mask(root):
    return root / 'masks/cat/a.png'


def first(root):
    """Photo and mask of cat/a at 8x8."""
    examples = folder.load(root, 8)
    return examples.images[0], examples.masks[0]


def corners(image):
    return np.stack([image[0, 0], image[0, -1], image[-1, 0], image[-1, -1]])


def assert_corners(image, *colours, atol=12):
    np.testing.assert_allclose(corners(image).astype(int), colours, atol=atol)


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
    np.testing.assert_array_equal(examples.labels, [0, 0, 1, 1])


def test_photos_and_masks_are_squashed_to_bytes(root):
    examples = folder.load(str(root), 8)
    assert examples.images.shape == (4, 8, 8, 3)
    assert examples.images.dtype == examples.masks.dtype == np.uint8
    assert_corners(examples.images[0], RED, GREEN, BLUE, BLUE, atol=0)
    np.testing.assert_array_equal(examples.masks[0], np.pad(np.ones((4, 4)), ((0, 4), (0, 4))))


def test_photos_are_resized_with_antialiasing(root, photo):
    stripes = np.zeros((20, 40, 3), np.uint8)
    stripes[:, ::2] = 255  # finer than the small image can show: they become an even grey
    Image.fromarray(stripes).save(photo)
    np.testing.assert_allclose(first(root)[0].astype(int), 127, atol=20)


def test_hidden_and_other_files_are_passed_over(root):
    (root / 'images/cat/.DS_Store').write_bytes(b'x')
    (root / 'images/cat/._a.jpg').write_bytes(b'x')
    (root / 'images/cat/notes.txt').write_text('x')
    (root / 'images/.cache').mkdir()
    (root / 'images/README.md').write_text('x')
    assert len(folder.load(root, 8)) == 4


@pytest.mark.parametrize('suffix', ['.jpg', '.JPEG', '.bmp', '.webp', '.tif', '.gif'])
def test_file_formats(root, photo, suffix):
    photo.unlink()
    quarters().save(photo.with_suffix(suffix))
    assert_corners(first(root)[0], RED, GREEN, BLUE, BLUE, atol=16)


@pytest.mark.parametrize('mode', ['P', 'RGBA', 'CMYK', 'YCbCr'])
def test_colour_modes(root, photo, mode):
    photo.unlink()
    quarters(mode).save(photo.with_suffix('.png' if mode in ('P', 'RGBA') else '.tif'))
    assert_corners(first(root)[0], RED, GREEN, BLUE, BLUE)


@pytest.mark.parametrize('mode', ['L', 'LA', '1'])
def test_grey_modes_become_three_equal_channels(root, photo, mode):
    Image.fromarray(np.full((20, 40), 255, np.uint8)).convert(mode).save(photo)
    np.testing.assert_array_equal(first(root)[0], 255)


def test_sixteen_bit_grey_is_scaled(root, photo):
    Image.fromarray(np.linspace(0, 65535, 800).reshape(20, 40).astype(np.uint16)).save(photo)
    image = first(root)[0]
    assert image[0].max() < 40
    assert image[3].min() > 100
    assert image[4].max() < 160
    assert image[-1].min() > 215


def test_transparency_is_laid_over_white(root, photo):
    image = quarters('RGBA')
    image.paste((0, 0, 0, 0), (0, 10, 40, 20))
    image.save(photo)
    assert_corners(first(root)[0], RED, GREEN, (255, 255, 255), (255, 255, 255))


@pytest.mark.parametrize('drawn_on', ['shown', 'stored'])
def test_photo_is_turned_upright_and_its_mask_with_it(root, photo, mask, drawn_on):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned clockwise: what is stored top left is shown top right
    photo.unlink()
    quarters().save(photo.with_suffix('.jpg'), exif=exif, quality=95)
    if drawn_on == 'shown':
        top_left().transpose(Image.Transpose.ROTATE_270).save(mask)
    image, marked = first(root)
    assert_corners(image, BLUE, RED, BLUE, GREEN, atol=20)
    np.testing.assert_array_equal(marked, np.pad(np.ones((4, 4)), ((0, 4), (4, 0))))


INSIDE = np.asarray(top_left()) > 0


def noisy():
    """The mask after a lossy format: levels around 0 and 255."""
    noise = np.random.default_rng(0).integers(-30, 31, INSIDE.shape)
    return Image.fromarray((np.where(INSIDE, 255, 0) + noise).clip(0, 255).astype(np.uint8))


def palette(indices):
    image = Image.fromarray(indices.astype(np.uint8)).convert('P')
    image.putdata(indices.ravel().tolist())
    image.putpalette(np.random.default_rng(1).integers(0, 256, 768).tolist())
    return image


def void_border():
    indices = np.where(INSIDE, 15, 0)
    indices[:, 20:24] = indices[10:14] = 255
    return palette(indices)


@pytest.mark.parametrize(
    'image',
    [
        pytest.param(Image.fromarray(INSIDE), id='bits'),
        pytest.param(Image.fromarray(INSIDE.astype(np.uint8)), id='0 and 1'),
        pytest.param(Image.fromarray(INSIDE.astype(np.uint16) * 65535), id='16 bits'),
        pytest.param(noisy(), id='noisy'),
        pytest.param(top_left().convert('RGB'), id='RGB'),
        pytest.param(Image.merge('LA', (Image.new('L', (40, 20), 255), top_left())), id='alpha'),
        pytest.param(palette(INSIDE * 1), id='palette'),
        pytest.param(palette(INSIDE * 255), id='palette, only 255'),
        pytest.param(palette(INSIDE * (15 + np.arange(40) // 10)), id='palette, two objects'),
        pytest.param(void_border(), id='palette, void'),
    ],
)
def test_mask_formats(root, mask, image):
    image.save(mask)
    np.testing.assert_array_equal(first(root)[1], np.pad(np.ones((4, 4)), ((0, 4), (0, 4))))


@pytest.mark.parametrize('image', [Image.new('L', (40, 20)), palette(INSIDE * 0)], ids=['grey', 'palette'])
def test_mask_may_be_empty(root, mask, image):
    image.save(mask)
    assert not first(root)[1].any()


@pytest.mark.parametrize('void', [False, True])
def test_grey_mask_of_class_numbers_is_an_error(root, mask, void):
    levels = np.where(INSIDE, 15, 0).astype(np.uint8)
    levels[:, 20:22] = 255 * void
    Image.fromarray(levels).save(mask)
    assert_error(root, mask, 'up to 15 look like class numbers')


def test_mask_in_colour_is_an_error(root, mask):
    quarters().save(mask)
    assert_error(root, mask, 'in colour')


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


def test_mask_of_another_size_is_an_error(root, mask, photo):
    top_left((20, 20)).save(mask)
    assert_error(root, mask, photo, '20x20', '40x20')


def test_turned_mask_of_a_photo_without_orientation_is_an_error(root, mask):
    top_left((20, 40)).save(mask)
    assert_error(root, mask, '20x40', '40x20')


def test_two_photos_of_one_name_are_an_error(root):
    quarters().save(root / 'images/cat/a.jpg')
    assert_error(root, root / 'images/cat/a.jpg', 'a.png', 'rename')


@pytest.mark.parametrize('kind', ['images', 'masks'])
def test_empty_file_is_an_error(root, kind):
    (root / kind / 'cat/a.png').write_bytes(b'')
    assert_error(root, root / kind / 'cat/a.png', 'empty')


@pytest.mark.parametrize('kind', ['images', 'masks'])
def test_unreadable_file_is_an_error(root, kind):
    (root / kind / 'cat/a.png').write_bytes(b'<html>404</html>')
    assert_error(root, root / kind / 'cat/a.png', 'not an image')


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.webp', '.tif'])
def test_truncated_photo_is_an_error(root, photo, suffix):
    photo.unlink()
    path = photo.with_suffix(suffix)
    quarters(size=(400, 200)).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    assert_error(root, path)


def test_decompression_bomb_is_an_error(root, photo, monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 40 * 20)
    quarters(size=(80, 21)).save(photo)
    assert_error(root, photo, 'exhaust the memory')


def test_floating_point_photo_is_an_error(root, photo):
    photo.unlink()
    Image.fromarray(np.zeros((20, 40), np.float32)).save(photo.with_suffix('.tif'))
    assert_error(root, photo.with_suffix('.tif'), 'floating point')


def test_real_photos():
    root = os.environ.get('COSEGNET_DATA')
    if not root:
        pytest.skip('set COSEGNET_DATA to a folder with images/<class>/* and masks/<class>/*.png')
    examples = folder.load(root, 64)
    assert examples.name == Path(root).resolve().name
    assert examples.masks.any((1, 2)).mean() > 0.5
    assert 0.01 < examples.masks.mean() < 0.9
    assert examples.images.std() > 20
