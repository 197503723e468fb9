import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image
from small_pictures import BLUE, GREEN, RED, quarters, top_left

from cosegnet_jax.data.files import photos
from cosegnet_jax.data.masks.mask_reading import mark_object
from cosegnet_jax.runtime.errors import UserError

INSIDE = np.asarray(top_left()) > 0


@pytest.fixture
def photo(tmp_path):
    quarters().save(tmp_path / 'a.png')
    return tmp_path / 'a.png'


@pytest.fixture
def mask(tmp_path):
    top_left().save(tmp_path / 'mask.png')
    return tmp_path / 'mask.png'


def assert_corners(image, *colors, atol=12):
    corners = np.stack([image[0, 0], image[0, -1], image[-1, 0], image[-1, -1]])
    np.testing.assert_allclose(corners.astype(int), colors, atol=atol)


def assert_error(photo, mask, *parts):
    """Reading fails with one line that has all of `parts`."""
    with pytest.raises(UserError) as caught:
        photos.read(photo, mask)
    message = str(caught.value)
    assert '\n' not in message
    for part in parts:
        assert str(part) in message


def turned(path, **options):
    """Saves the picture so that it is to be turned clockwise: what is stored top left is shown top right."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    quarters().save(path, exif=exif, **options)
    return path


# ------------------------------------------------------------------------------------------------- photos


def test_photo_and_mask_keep_their_size(photo, mask):
    image, marked, _ = photos.read(photo, mask)
    assert image.dtype == marked.dtype == np.uint8
    np.testing.assert_array_equal(image, np.asarray(quarters()))
    np.testing.assert_array_equal(marked, INSIDE)


@pytest.mark.parametrize('suffix', ['.jpg', '.JPEG', '.bmp', '.webp', '.tif', '.gif'])
def test_file_formats(tmp_path, mask, suffix):
    quarters().save(tmp_path / f'b{suffix}')
    assert_corners(photos.read(tmp_path / f'b{suffix}', mask)[0], RED, GREEN, BLUE, BLUE, atol=16)


@pytest.mark.parametrize('mode', ['P', 'RGBA', 'CMYK'])
def test_color_modes(tmp_path, mask, mode):
    path = tmp_path / ('b.png' if mode in ('P', 'RGBA') else 'b.tif')
    quarters(mode).save(path)
    assert_corners(photos.read(path, mask)[0], RED, GREEN, BLUE, BLUE)


def test_cmyk_jpeg(tmp_path, mask):
    quarters('CMYK').save(tmp_path / 'b.jpg', quality=95)
    assert_corners(photos.read(tmp_path / 'b.jpg', mask)[0], RED, GREEN, BLUE, BLUE)


@pytest.mark.parametrize('mode', ['L', 'LA', '1'])
def test_gray_modes_become_three_equal_channels(photo, mask, mode):
    Image.fromarray(np.full((20, 40), 255, np.uint8)).convert(mode).save(photo)
    np.testing.assert_array_equal(photos.read(photo, mask)[0], np.full((20, 40, 3), 255))


def test_sixteen_bit_gray_is_scaled(photo, mask):
    levels = np.array([0, 256, 257, 32768, 65535], np.uint16).repeat(160).reshape(20, 40)
    Image.fromarray(levels).save(photo)
    image = photos.read(photo, mask)[0]
    np.testing.assert_array_equal(image, (levels // 257)[..., None].repeat(3, 2))


def test_transparency_is_laid_over_white(photo, mask):
    image = quarters('RGBA')
    image.paste((0, 0, 0, 0), (0, 10, 40, 20))
    image.save(photo)
    assert_corners(photos.read(photo, mask)[0], RED, GREEN, (255, 255, 255), (255, 255, 255))


@pytest.mark.parametrize('which', ['photo', 'mask'])
def test_empty_file_is_an_error(request, photo, mask, which):
    path = request.getfixturevalue(which)
    path.write_bytes(b'')
    assert_error(photo, mask, path, 'an empty file')


@pytest.mark.parametrize('which', ['photo', 'mask'])
def test_unreadable_file_is_an_error(request, photo, mask, which):
    path = request.getfixturevalue(which)
    path.write_bytes(b'<html>404</html>')
    assert_error(photo, mask, path, 'not an image')


def test_missing_file_is_an_error(photo, mask):
    photo.unlink()
    assert_error(photo, mask, photo, 'no such file')


def test_a_pipe_is_an_error_and_nobody_waits_for_it(tmp_path, mask):
    os.mkfifo(tmp_path / 'pipe.jpg')
    assert_error(tmp_path / 'pipe.jpg', mask, tmp_path / 'pipe.jpg', 'a pipe')


@pytest.mark.parametrize(
    ('name', 'reason'), [('a' * 300 + '.png', 'File name too long'), ('a.png/b.png', 'Not a directory')]
)
def test_a_name_that_the_system_refuses_is_an_error(photo, mask, name, reason):
    assert_error(photo.parent / name, mask, name, reason)


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.webp', '.tif'])
def test_truncated_photo_is_an_error(tmp_path, mask, suffix):
    path = tmp_path / f'b{suffix}'
    quarters(size=(400, 200)).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    assert_error(path, mask, path)


def test_decompression_bomb_is_an_error(photo, mask, monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 40 * 20)
    quarters(size=(80, 21)).save(photo)
    assert_error(photo, mask, photo, 'exhaust the memory')


# --------------------------------------------------------------------------------------------- deep photos


def ramp(largest, dtype):
    return np.linspace(0, largest, 800).round().astype(dtype).reshape(20, 40)


@pytest.mark.parametrize('largest', [255, 1023, 4095, 16383, 65535])
@pytest.mark.parametrize(('dtype', 'suffix'), [(np.uint16, '.png'), (np.uint16, '.tif'), (np.int32, '.tif')])
def test_gray_of_any_depth_is_scaled_by_the_bits_in_use(tmp_path, mask, largest, dtype, suffix):
    path = tmp_path / f'deep{suffix}'
    Image.fromarray(ramp(largest, dtype)).save(path)
    np.testing.assert_allclose(photos.read(path, mask).photo[..., 0], ramp(255, int), atol=1)


def test_levels_below_zero_are_scaled_by_the_range_in_use(tmp_path, mask):
    Image.fromarray(ramp(3000, np.int32) - 1000).save(tmp_path / 'ct.tif')
    np.testing.assert_allclose(photos.read(tmp_path / 'ct.tif', mask).photo[..., 0], ramp(255, int), atol=1)


def test_levels_above_sixteen_bits_are_scaled_by_the_largest(tmp_path, mask):
    Image.fromarray(ramp(10**6, np.int32)).save(tmp_path / 'sum.tif')
    np.testing.assert_allclose(photos.read(tmp_path / 'sum.tif', mask).photo[..., 0], ramp(255, int), atol=1)


def test_floating_point_levels_from_0_to_1_are_gray(tmp_path, mask):
    Image.fromarray(ramp(255, np.float32) / 255).save(tmp_path / 'b.tif')
    np.testing.assert_array_equal(photos.read(tmp_path / 'b.tif', mask).photo[..., 0], ramp(255, np.uint8))


@pytest.mark.parametrize('level', [1.5, -0.1, np.nan, np.inf])
def test_other_floating_point_levels_are_an_error(tmp_path, mask, level):
    Image.fromarray(np.full((20, 40), level, np.float32)).save(tmp_path / 'b.tif')
    assert_error(tmp_path / 'b.tif', mask, tmp_path / 'b.tif', 'floating point')


@pytest.mark.parametrize(
    ('levels', 'expected'),
    [
        (np.full((20, 40, 3), 5), 'nearly black throughout'),
        (np.full((20, 40, 3), 250), 'nearly white throughout'),
        (np.arange(2400).reshape(20, 40, 3) // 10, None),
        (np.full((20, 40, 3), 90), None),
    ],
)
def test_blank_photos_are_known(levels, expected):
    assert photos.find_blank(levels.astype(np.uint8)) == expected


# ------------------------------------------------------------------------------------------------ storing


def test_plain_files_are_stored_as_they_are(tmp_path, photo, mask):
    quarters().save(tmp_path / 'b.jpg')
    for path in (photo, tmp_path / 'b.jpg'):
        assert photos.encode(path, mask, mark_object)[0] == path.read_bytes()


def sixteen_bit_rgb(path):
    """Writes the picture as PNG with 16 bits a channel, which Pillow reads and does not write."""
    rows = np.asarray(quarters()).astype('>u2').reshape(20, 120) * 257
    lines = b''.join(b'\0' + row.tobytes() for row in rows)
    header = struct.pack('>IIBBBBB', 40, 20, 16, 2, 0, 0, 0)
    chunks = [(b'IHDR', header), (b'IDAT', zlib.compress(lines)), (b'IEND', b'')]
    packed = [
        struct.pack('>I', len(c)) + kind + c + struct.pack('>I', zlib.crc32(kind + c)) for kind, c in chunks
    ]
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + b''.join(packed))


UNUSUAL = {
    'turned.jpg': turned,
    'turned.png': turned,
    'gray.jpg': lambda path: quarters('L').save(path),
    'cmyk.jpg': lambda path: quarters('CMYK').save(path),
    'palette.png': lambda path: quarters('P').save(path),
    'transparent.png': lambda path: quarters().save(path, transparency=RED),
    'deep.png': sixteen_bit_rgb,
    'other.bmp': lambda path: quarters().save(path),
}


@pytest.mark.parametrize('name', UNUSUAL)
def test_unusual_files_are_stored_as_png_of_the_same_pixels(tmp_path, mask, name):
    path = tmp_path / name
    UNUSUAL[name](path)
    stored, values = photos.encode(path, mask, mark_object)
    pixels, marked, _ = photos.read(path, mask)
    image = Image.open(io.BytesIO(stored))
    assert stored != path.read_bytes()
    assert (image.format, image.mode, dict(image.getexif())) == ('PNG', 'RGB', {})
    np.testing.assert_array_equal(photos.decode(stored), pixels)
    np.testing.assert_array_equal(values, marked)


def test_values_survive_a_png():
    values = np.arange(200, dtype=np.uint8).reshape(10, 20)
    np.testing.assert_array_equal(photos.decode(photos.png(values)), values)


def test_photos_are_squashed_with_antialiasing():
    stripes = np.zeros((20, 40, 3), np.uint8)
    stripes[:, ::2] = 255  # finer than the small image can show: they become an even gray
    squashed = photos.squash_photo(stripes, 8)
    assert squashed.shape == (8, 8, 3)
    np.testing.assert_allclose(squashed.astype(int), 127, atol=20)


def test_masks_are_squashed_to_values_that_they_had():
    squashed = photos.squash_mask(np.where(INSIDE, 7, 0).astype(np.uint8), 8)
    np.testing.assert_array_equal(squashed, np.pad(np.full((4, 4), 7), ((0, 4), (0, 4))))
