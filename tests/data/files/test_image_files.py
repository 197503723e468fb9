import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from small_pictures import quarters

from cosegnet_jax.data.files import image_files, photos
from cosegnet_jax.data.files.image_files import is_plain, load
from cosegnet_jax.data.files.strip_metadata import strip_metadata
from cosegnet_jax.inference.photo_reading import read
from cosegnet_jax.runtime.errors import UserError

OPTIONS = {'.jpg': {'quality': 95, 'subsampling': 0}, '.png': {}, '.webp': {'lossless': True}}


def tiff(*entries, order='<', count=None, values=b''):
    """An EXIF block of entries (tag, type, count, value or place of the values)."""
    head = {'<': b'II*\0', '>': b'MM\0*'}[order] + struct.pack(f'{order}I', 8)
    body = struct.pack(f'{order}H', len(entries) if count is None else count)
    for tag, kind, number, value in entries:
        packed = (
            value
            if isinstance(value, bytes)
            else struct.pack(f'{order}{"HI"[kind != 3]}', value).ljust(4, b'\0')
        )
        body += struct.pack(f'{order}HHI', tag, kind, number) + packed
    return b'Exif\0\0' + head + body + struct.pack(f'{order}I', 0) + values


TURN = (0x0112, 3, 1, 6)
AFTER = 8 + 2 + 2 * 12 + 4  # where the values of two entries begin
BROKEN = {  # EXIF, and whether the orientation in it can be read
    'rational -1/0': (tiff(TURN, (0x011A, 10, 1, AFTER), values=struct.pack('<ii', -1, 0)), True),
    'rational 0/0': (tiff((0x011A, 5, 1, AFTER), TURN, values=bytes(8)), True),
    'NaN': (tiff(TURN, (0x011A, 12, 1, AFTER), values=struct.pack('<d', np.nan)), True),
    'infinity as DPI': (tiff(TURN, (0x011A, 11, 1, struct.pack('<f', np.inf))), True),
    'big endian': (tiff(TURN, (0x011A, 10, 1, AFTER), order='>', values=struct.pack('>ii', -1, 0)), True),
    'values beyond the end': (tiff(TURN, (0x010F, 2, 2**31, 2**31)), True),
    'negative count': (tiff(TURN, (0x0100, 9, 2**32 - 1, 8)), True),
    'unknown type': (tiff(TURN, (0x0100, 99, 1, 8)), True),
    'more entries than there are': (tiff(TURN, count=4000), True),
    'orientation as LONG': (tiff((0x0112, 4, 1, 6)), True),
    'orientation that is none': (tiff((0x0112, 3, 1, 77)), False),
    'orientation as text': (tiff((0x0112, 2, 1, b'6\0\0\0')), False),
    'no TIFF': (b'Exif\0\0\0\x08\0\x02\x01\x12\0\x03', False),
    'nothing': (b'Exif\0\0', False),
    'ends at once': (b'Exif\0\0II*\0', False),
    'begins nowhere': (b'Exif\0\0II*\0\xff\xff\xff\x7f', False),
    'noise': (bytes(range(256)), False),
}


@pytest.mark.parametrize('suffix', OPTIONS)
@pytest.mark.parametrize('kind', BROKEN)
def test_broken_exif_costs_no_pixel_and_no_orientation_that_can_be_read(tmp_path, suffix, kind):
    exif, readable = BROKEN[kind]
    path = tmp_path / f'photo{suffix}'
    quarters().save(path, exif=exif, **OPTIONS[suffix])
    expected = quarters().transpose(Image.Transpose.ROTATE_270) if readable else quarters()
    found = load(path)
    assert found.orientation == (6 if readable else None)
    np.testing.assert_allclose(np.asarray(found.image, int), np.asarray(expected, int), atol=12)
    assert read(path).size == expected.size
    stored = photos.decode(photos.encode_photo(path, np.asarray(found.image)))
    np.testing.assert_array_equal(stored, np.asarray(found.image))


def chunk(kind, data, crc=None):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', crc or zlib.crc32(kind + data))


def profile(digits):
    return chunk(b'tEXt', b'Raw profile type exif\0\nexif\n      20\n' + digits)


PNG_CHUNKS = {  # and the orientation
    'a raw profile': (profile(tiff(TURN).hex().encode()), 6),
    'a raw profile of no digits': (profile(b'zz not hex'), None),
    'a raw profile of an odd number of digits': (profile(b'455'), None),
    'a wrong checksum of text': (chunk(b'tEXt', b'Comment\0x', crc=1), None),
    'a wrong checksum of EXIF': (chunk(b'eXIf', tiff(TURN)[6:], crc=1), 6),
    'a color profile that unpacks to too much': (
        chunk(b'iCCP', b'x\0\0' + zlib.compress(bytes(2**21))), None
    ),
    'packed text that is not packed': (chunk(b'zTXt', b'x\0\0nothing'), None),
    'packed text that unpacks to too much': (chunk(b'zTXt', b'x\0\0' + zlib.compress(bytes(2**21))), None),
    'XMP': (
        chunk(b'iTXt', b'XML:com.adobe.xmp\0\0\0\0\0<rdf tiff:Orientation="6"/>'), 6
    ),
}  # fmt: skip


@pytest.mark.parametrize('kind', PNG_CHUNKS)
@pytest.mark.parametrize('place', ['before the pixels', 'after them'])
def test_broken_chunks_of_a_png_cost_no_pixel(tmp_path, kind, place):
    extra, orientation = PNG_CHUNKS[kind]
    path = tmp_path / 'photo.png'
    quarters().save(path)
    data = path.read_bytes()
    at = 33 if place == 'before the pixels' else len(data) - 12
    path.write_bytes(data[:at] + extra + data[at:])
    expected = quarters().transpose(Image.Transpose.ROTATE_270) if orientation else quarters()
    found = load(path)
    assert found.orientation == orientation
    np.testing.assert_array_equal(np.asarray(found.image), np.asarray(expected))
    stored = photos.decode(photos.encode_photo(path, np.asarray(found.image)))
    np.testing.assert_array_equal(stored, np.asarray(expected))


@pytest.mark.parametrize('suffix', OPTIONS)
@pytest.mark.parametrize('keep_exif', [False, True])
def test_stripping_keeps_the_pixels_and_exif_where_it_is_wished(tmp_path, suffix, keep_exif):
    path, stripped = tmp_path / f'photo{suffix}', tmp_path / f'stripped{suffix}'
    quarters().save(
        path, exif=tiff(TURN), icc_profile=b'x' * 200, xmp=b'<x/>', comment='?', **OPTIONS[suffix]
    )
    stripped.write_bytes(strip_metadata(path.read_bytes(), keep_exif))
    with Image.open(path) as before, Image.open(stripped) as after:
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))
        assert before.info.keys() >= {'exif', 'icc_profile'}
        assert ('exif' in after.info) == keep_exif
        assert after.info.keys().isdisjoint({'icc_profile', 'xmp', 'comment'})


@pytest.mark.parametrize('data', [b'', b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff', b'RIFF1234WEBP', b'GIF89a'])
def test_stripping_leaves_what_is_no_image(data):
    assert strip_metadata(data, keep_exif=False)[:4] == data[:4]


def test_the_number_of_pixels_is_limited_for_all_readers(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', Image.MAX_IMAGE_PIXELS)
    quarters(size=(100, 100)).save(tmp_path / 'photo.png')
    image_files.limit_pixels(10_000)
    assert load(tmp_path / 'photo.png').image.size == (100, 100)
    image_files.limit_pixels(9_999)
    with pytest.raises(UserError, match=r'photo\.png: more than 0\.009999 megapixels'):
        read(tmp_path / 'photo.png')


def test_heic_names_what_reads_it(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, '_reads_heic', lambda: False)
    path = tmp_path / 'photo.heic'
    path.write_bytes(struct.pack('>I', 24) + b'ftypheic\0\0\0\0mif1heic' + bytes(99))
    with pytest.raises(UserError, match=r"photo\.heic: HEIC takes .* 'cosegnet-jax\[heic\]'"):
        load(path)


def test_heic_is_read_where_pillow_heif_is_installed(tmp_path):
    heif = pytest.importorskip('pillow_heif', reason='needs pillow-heif, of the extra heic')
    heif.register_heif_opener()
    quarters(size=(64, 64)).save(tmp_path / 'photo.heic', quality=90)
    found = load(tmp_path / 'photo.heic')
    np.testing.assert_allclose(
        np.asarray(found.image, int), np.asarray(quarters(size=(64, 64)), int), atol=25
    )


def test_warnings_of_metadata_are_silent_in_all_threads_and_heard_again_afterwards(tmp_path):
    quarters().save(tmp_path / 'photo.jpg', exif=BROKEN['values beyond the end'][0])
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter('always')
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(load, [tmp_path / 'photo.jpg'] * 32))
        warnings.warn('of others', stacklevel=1)
    assert [str(one.message) for one in heard] == ['of others']


def test_a_plain_file_is_kept_and_a_broken_one_is_not(tmp_path):
    quarters().save(tmp_path / 'photo.png')
    assert is_plain((tmp_path / 'photo.png').read_bytes())
    assert not is_plain((tmp_path / 'photo.png').read_bytes()[:-40])
    assert not is_plain(b'')
