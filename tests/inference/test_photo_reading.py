import io
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
from pictures_of_discs import disc
from PIL import Image, ImageOps

from cosegnet_jax.runtime.errors import UserError


def soft(described):
    assert np.ptp(described.soft_mask) > 100  # else one mask would look like another
    return described.soft_mask.astype(int)


@pytest.mark.parametrize('orientation', [3, 6, 8])
def test_a_photo_that_exif_turns_gets_the_mask_of_what_is_seen(tmp_path, segmenter, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    disc(5, (60, 36)).save(tmp_path / 'turned.png', exif=exif)
    with Image.open(tmp_path / 'turned.png') as stored:
        upright = ImageOps.exif_transpose(stored)
        from_file, from_memory, seen = segmenter.describe(
            [tmp_path / 'turned.png', stored, np.asarray(upright)]
        )
    assert from_file.size == from_memory.size == seen.size == upright.size[::-1]
    np.testing.assert_array_equal(soft(from_file), soft(seen))
    np.testing.assert_array_equal(soft(from_memory), soft(seen))


def test_other_kinds_of_files_are_seen_as_their_colors(tmp_path, segmenter):
    photo = disc(6)
    clear = photo.copy()
    clear.putalpha(Image.fromarray(np.where(np.arange(60) < 30, 0, 255).astype(np.uint8)[None].repeat(40, 0)))
    on_white = np.array(photo)
    on_white[:, :30] = 255
    gray = np.asarray(photo.convert('L'))
    quantised = photo.quantize(16)
    cases = {
        'alpha.png': (clear, on_white),
        'gray.png': (photo.convert('L'), gray),
        'gray16.png': (Image.fromarray(gray.astype(np.uint16) * 257), gray),
        'palette.png': (quantised, np.asarray(quantised.convert('RGB'))),
        'cmyk.tif': (photo.convert('CMYK'), np.asarray(photo.convert('CMYK').convert('RGB'))),
    }
    for name, (image, _) in cases.items():
        image.save(tmp_path / name)
    files = list(segmenter.describe(tmp_path / name for name in cases))
    colors = list(segmenter.describe([colors for _, colors in cases.values()]))
    arrays = list(segmenter.describe([np.asarray(clear), np.asarray(clear.convert('RGBA'))]))
    for name, file, color in zip(cases, files, colors, strict=True):
        assert np.abs(soft(file) - soft(color)).max() <= 1, name
    assert np.abs(soft(arrays[0]) - soft(colors[0])).max() <= 1
    assert np.abs(soft(files[0]) - soft(files[1])).max() > 50  # other colors are seen as others


@pytest.mark.parametrize(
    ('images', 'message'),
    [
        ([], r'0 photo\(s\), and a pair takes two'),
        ([disc()], r'1 photo\(s\), and a pair takes two'),
        ([disc(), 'nowhere.jpg'], r'nowhere\.jpg: no such file'),
        ([disc(), np.zeros((4, 4, 3))], r'\(4, 4, 3\) and type float64: no picture; give uint8'),
        ([disc(), np.zeros((4, 4, 2), np.uint8)], r'\(4, 4, 2\) and type uint8: no picture'),
        ([disc(), np.zeros((0, 4, 3), np.uint8)], r'\(0, 4, 3\): has no pixels'),
    ],
    ids=['none', 'one', 'missing', 'float', 'two channels', 'empty'],
)
def test_what_cannot_be_cosegmented_is_said_in_one_line(segmenter, images, message):
    with pytest.raises(UserError, match=message) as raised:
        segmenter.cosegment(images)
    assert '\n' not in str(raised.value)


def encoded(seed):
    file = io.BytesIO()
    disc(seed).save(file, 'PNG')
    return file


def test_what_is_no_list_of_photos_and_what_is_no_photo_is_said_in_one_line(run_folder):
    """In a process whose arguments are not checked by their types, as those of a user are not."""
    code = f"""
import io, pathlib, sys
import jax.numpy as jnp, numpy as np
from PIL import Image
from cosegnet_jax import CoSegmenter
from cosegnet_jax.runtime.errors import UserError

segmenter = CoSegmenter.from_pretrained({str(run_folder)!r})
image, file = Image.new('RGB', (4, 3)), io.BytesIO()
image.save(file, 'PNG')
ones = [
    'beach.jpg', pathlib.Path('beach.jpg'), np.zeros((3, 4, 3), np.uint8), np.zeros((3, 4), np.uint8),
    jnp.zeros((3, 4, 3), jnp.uint8), image, file, file.getvalue(), bytearray(file.getvalue()), 7, None,
]
others = [b'no photo', io.BytesIO(), 7, None, jnp.zeros((4, 4, 3)), np.zeros(()), [image]]
for method in (segmenter.describe, segmenter.cosegment):
    for images in ones + [[image, other] for other in others]:
        try:
            list(method(images))
        except UserError as error:
            print(error)
"""
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, '')
    lines = done.stdout.splitlines()
    assert lines[:18] == lines[18:]
    assert lines[:2] == ['beach.jpg: give a list of photos, not one name'] * 2
    assert lines[2:5] == [
        f'one array of {n} dimensions: give a list of photos, not one photo' for n in (3, 2, 3)
    ]
    kinds = ('Image', 'BytesIO', 'bytes', 'bytearray')
    assert lines[5:9] == [f'one {kind}: give a list of photos, not one photo' for kind in kinds]
    assert lines[9:11] == ['one int: give a list of photos', 'one NoneType: give a list of photos']
    memory = (
        'photo in memory: not an image that can be read (UnidentifiedImageError); give a sound JPEG or PNG'
    )
    assert lines[11:13] == [memory, memory]
    for line, kind in zip(lines[13:15], ('int', 'NoneType'), strict=True):
        assert line.startswith(f'{kind}: no photo; give a path, bytes, an open file')
    assert 'an array of shape (4, 4, 3) and type float32: no picture; give uint8' in lines[15]
    assert 'an array of shape () and type float64: no picture; give uint8' in lines[16]
    assert lines[17].startswith('list: no photo')


def test_what_pillow_opens_and_what_is_an_array_gives_the_same(tmp_path, segmenter):
    disc(3).save(tmp_path / 'photo.png')
    pixels = np.asarray(disc(3))
    with (tmp_path / 'photo.png').open('rb') as file:
        images = [
            tmp_path / 'photo.png', encoded(3), encoded(3).getvalue(), bytearray(encoded(3).getvalue()),
            memoryview(encoded(3).getvalue()), file, pixels, jnp.asarray(pixels), disc(3),
        ]  # fmt: skip
        found = segmenter.cosegment(images, threshold=0.0)
        assert found.names == (
            str(tmp_path / 'photo.png'), *(f'photo {number}' for number in range(1, 5)),
            str(tmp_path / 'photo.png'), *(f'photo {number}' for number in range(6, 9)),
        )  # fmt: skip
        for mask, photo in zip(found.masks, found.photos, strict=True):  # files are read once more
            np.testing.assert_array_equal(mask, found.masks[0])
            np.testing.assert_array_equal(np.asarray(photo), pixels)
    assert soft(next(segmenter.describe([encoded(3)]))).shape == (32, 32)


def test_an_array_of_four_dimensions_holds_several_photos(segmenter):
    photos = np.stack([np.asarray(disc(seed)) for seed in range(3)])
    for several in (photos, jnp.asarray(photos)):
        found = segmenter.cosegment(several, threshold=0.0)
        assert [mask.shape for mask in found.masks] == [(40, 60)] * 3
