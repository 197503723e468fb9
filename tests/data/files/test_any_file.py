"""Whatever a file holds: the right value, or one line that names the file."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from small_pictures import quarters, top_left

from cosegnet_jax.data.files import photos
from cosegnet_jax.data.files.image_files import load
from cosegnet_jax.data.files.orientation import turn
from cosegnet_jax.data.masks import mask_reading
from cosegnet_jax.runtime.errors import UserError

SUFFIXES = ['.jpg', '.png', '.webp', '.tif', '.gif', '.bmp']
Y, X = np.mgrid[:12, :16]
REGIONS = np.where(Y < 6, 0, np.where(X < 8, 1, 2))  # areas large enough to be flat

few = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def outcome(read, path):
    """What is read, or the line that refuses it."""
    try:
        return read(path)
    except UserError as error:
        message = str(error)
    assert message.startswith(f'{path}: ')
    assert '\n' not in message
    return message


def written(image, suffix='.png', **options):
    file = io.BytesIO()
    image.save(file, {'.tif': 'TIFF', '.jpg': 'JPEG'}.get(suffix, suffix[1:].upper()), **options)
    return file.getvalue()


def read_bytes(data, suffix, read):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f'a{suffix}')
        path.write_bytes(data)
        return outcome(read, path)


def photo_of(path):
    return np.asarray(photos.rgb(load(path).image, path))


def mask_of(path):
    return mask_reading.mark_object(load(path), path)


def exif_of(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.XResolution] = 72.0
    exif[ExifTags.Base.Make] = 'maker'
    return exif.tobytes()


@few
@given(st.sampled_from(SUFFIXES), st.data())
def test_a_damaged_file(suffix, data):
    file = bytearray(written(quarters(), suffix, **({} if suffix in '.gif.bmp' else {'exif': exif_of(6)})))
    for _ in range(data.draw(st.integers(1, 8))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    file = file[: data.draw(st.sampled_from([len(file), len(file), len(file) // 2]))]
    for read in (photo_of, mask_of):
        found = read_bytes(bytes(file), suffix, read)
        assert isinstance(found, str) or (found.dtype == np.uint8 and found.size)


@few
@given(st.sampled_from(['.png', '.jpg', '.tif']), st.binary(max_size=200))
def test_any_bytes(suffix, data):
    assert isinstance(read_bytes(data, suffix, photo_of), str)


@pytest.mark.parametrize('suffix', ['.png', '.webp'])
@few
@given(st.integers(1, 8), st.data())
def test_damaged_exif_leaves_the_pixels(suffix, orientation, data):
    exif = bytearray(exif_of(orientation))
    for _ in range(data.draw(st.integers(0, 6))):
        exif[data.draw(st.integers(0, len(exif) - 1))] = data.draw(st.integers(0, 255))
    exif = bytes(exif[: data.draw(st.integers(8, len(exif)))])
    options = {'lossless': True} if suffix == '.webp' else {}
    found = read_bytes(written(quarters(), suffix, exif=exif, **options), suffix, photo_of)
    turned = [np.asarray(turn(quarters(), number)) for number in range(1, 9)]
    assert any(np.array_equal(found, one) for one in turned)


@few
@given(st.lists(st.integers(0, 255), min_size=3, max_size=3))
def test_flat_gray_levels_are_black_and_white_or_refused(levels):
    image = Image.fromarray(np.array(levels, np.uint8)[REGIONS])
    found = read_bytes(written(image), '.png', mask_of)
    used = set(levels)
    if used <= {0, 1} or all(level == 0 or level >= 240 for level in used):
        np.testing.assert_array_equal(found, np.array(levels)[REGIONS] > 0)
    else:
        assert isinstance(found, str)


@few
@given(st.lists(st.integers(0, 2**16 - 1), min_size=3, max_size=3))
def test_flat_levels_of_16_bits_are_black_and_white_or_refused(levels):
    image = Image.fromarray(np.array(levels, np.uint16)[REGIONS])
    found = read_bytes(written(image), '.png', mask_of)
    if isinstance(found, str):
        assert not set(levels) <= {0, 1, 65535} or set(levels) >= {1, 65535}
    else:
        np.testing.assert_array_equal(found, np.array(levels)[REGIONS] > 0)


@few
@given(
    st.lists(st.sampled_from([0, 1, 64, 128, 240, 255]), min_size=9, max_size=9), st.permutations([0, 1, 2])
)
def test_the_order_of_a_palette_means_nothing(levels, order):
    colors = np.array(levels).reshape(3, 3)
    found = []
    for places in ([0, 1, 2], order):
        image = Image.fromarray(np.array(places, np.uint8)[REGIONS])
        image.putpalette(colors[np.argsort(places)].ravel().tolist())
        found.append(read_bytes(written(image), '.png', mask_of))
    if isinstance(found[0], str):
        assert isinstance(found[1], str)
    else:
        np.testing.assert_array_equal(*found)


@few
@given(st.integers(1, 8), st.sampled_from([None, *range(1, 9)]), st.sampled_from([(40, 20), (40, 40)]))
def test_a_mask_marks_the_same_pixels_however_both_are_stored(orientation, tag, size):
    with tempfile.TemporaryDirectory() as folder:
        photo, mask = Path(folder, 'photo.png'), Path(folder, 'mask.png')
        turn(quarters(size=size), {6: 8, 8: 6}.get(orientation, orientation)).save(
            photo, exif=exif_of(orientation)
        )
        stored = turn(top_left(size), {6: 8, 8: 6}.get(tag, tag))
        stored.save(mask, **({'exif': exif_of(tag)} if tag else {}))
        found = photos.read(photo, mask)
        np.testing.assert_array_equal(found.mask, found.photo[..., 0] > 110)
