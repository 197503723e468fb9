import numpy as np
import pytest
from PIL import ExifTags, Image
from small_pictures import quarters, top_left

from cosegnet_jax.data.files import photos
from cosegnet_jax.data.files.image_files import load, upright
from cosegnet_jax.data.files.orientation import turn
from cosegnet_jax.runtime.errors import UserError

ORIENTATIONS = range(1, 9)
OBLONG, SQUARE = (40, 20), (40, 40)


def oriented(number):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = number
    return exif


def stored(image, number):
    """What a camera stores of an image that its reader turns by `number`."""
    return turn(image, {6: 8, 8: 6}.get(number, number))


def pair(folder, number, size, mask_as, tag=None, suffix='.png'):
    """A photo of this orientation, and a mask as it is 'shown' or 'stored', maybe with a tag of its own."""
    photo, mask = folder / f'photo{suffix}', folder / f'mask{suffix}'
    stored(quarters(size=size), number).save(photo, exif=oriented(number))
    drawn = top_left(size) if mask_as == 'shown' else stored(top_left(size), number)
    drawn.save(mask, **({'exif': oriented(tag)} if tag else {}))
    return photo, mask


def overlap(found, size):
    """Of the mask and the red quarter of the photo, which it marks."""
    red = found.photo[..., 0] > 110
    np.testing.assert_array_equal(red, np.asarray(top_left(size)) > 0)
    return (red & (found.mask > 0)).sum() / (red | (found.mask > 0)).sum()


@pytest.mark.parametrize('number', ORIENTATIONS)
@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp', '.tif'])
def test_every_orientation_of_every_format_is_obeyed(tmp_path, number, suffix):
    path = tmp_path / f'photo{suffix}'
    options = (
        {'lossless': True}
        if suffix == '.webp'
        else {'quality': 95, 'subsampling': 0}
        if suffix == '.jpg'
        else {}
    )
    stored(quarters(), number).save(path, exif=oriented(number), **options)
    found = load(path)
    assert found.orientation == number
    again = upright(found.image).image  # nothing that was turned is turned again
    for image in (found.image, again):
        np.testing.assert_allclose(np.asarray(image, int), np.asarray(quarters(), int), atol=40)


@pytest.mark.parametrize('number', ORIENTATIONS)
@pytest.mark.parametrize('mode', ['1', 'L', 'P', 'RGBA', 'CMYK', 'I;16'])
def test_every_orientation_of_every_kind_of_tiff_is_obeyed(tmp_path, number, mode):
    """Pillow maps some of them to memory, with width and height of the turned picture."""
    picture = top_left() if mode in ('1', 'L', 'I;16') else quarters()
    if mode == 'I;16':
        picture = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    else:
        picture = picture.convert(mode)
    stored(picture, number).save(tmp_path / 'a.tif', exif=oriented(number))
    with Image.open(tmp_path / 'a.tif') as opened:
        for image in (load(tmp_path / 'a.tif').image, upright(opened).image):
            np.testing.assert_array_equal(np.asarray(image), np.asarray(picture))


@pytest.mark.parametrize('number', [5, 6, 7, 8])
@pytest.mark.parametrize('mask_as', ['shown', 'stored'])
@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_the_size_decides_where_it_fits_one_way_only(tmp_path, number, mask_as, suffix):
    found = photos.read(*pair(tmp_path, number, OBLONG, mask_as, suffix=suffix))
    assert overlap(found, OBLONG) == 1
    assert not found.turn_assumed


@pytest.mark.parametrize(
    ('number', 'size'), [(2, OBLONG), (3, OBLONG), (4, OBLONG), *((number, SQUARE) for number in range(2, 9))]
)
@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_a_mask_obeys_its_own_tag(tmp_path, number, size, suffix):
    for mask_as, tag in (('stored', number), ('shown', 1)):
        for rule in ('auto', 'shown', 'stored'):
            found = photos.read(*pair(tmp_path, number, size, mask_as, tag, suffix), orientation=rule)
            assert overlap(found, size) == 1
            assert not found.turn_assumed


@pytest.mark.parametrize(
    ('number', 'size'), [(2, OBLONG), (3, OBLONG), (4, OBLONG), *((number, SQUARE) for number in range(2, 9))]
)
def test_where_nothing_decides_the_key_does(tmp_path, number, size):
    for mask_as in ('shown', 'stored'):
        found = photos.read(*pair(tmp_path, number, size, mask_as), orientation=mask_as)
        assert overlap(found, size) == 1
        assert not found.turn_assumed


def test_where_nothing_decides_and_no_key_is_given_it_is_assumed_and_said(tmp_path):
    found = photos.read(*pair(tmp_path, 3, OBLONG, 'shown'))
    assert overlap(found, OBLONG) == 1
    assert found.turn_assumed


def test_where_turning_changes_nothing_nothing_is_assumed(tmp_path):
    photo, mask = pair(tmp_path, 3, OBLONG, 'shown')
    Image.new('L', OBLONG).save(mask)
    assert not photos.read(photo, mask).turn_assumed


@pytest.mark.parametrize(('mask_as', 'tag'), [('shown', 6), ('stored', 1)])
def test_a_tag_that_the_size_contradicts_is_passed_over(tmp_path, mask_as, tag):
    assert overlap(photos.read(*pair(tmp_path, 6, OBLONG, mask_as, tag)), OBLONG) == 1


def test_a_mask_that_fits_no_way_says_both_sizes(tmp_path):
    photo, mask = pair(tmp_path, 6, OBLONG, 'shown')
    top_left((30, 20)).save(mask)
    with pytest.raises(UserError, match=r'30x20 pixels, but .* has 40x20 \(20x40 as stored\)'):
        photos.read(photo, mask)
