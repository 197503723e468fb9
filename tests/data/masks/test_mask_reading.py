import functools
import io

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import ndimage
from small_pictures import palette, quarters, top_left

from cosegnet_jax.data.files import photos
from cosegnet_jax.data.files.image_files import load
from cosegnet_jax.data.masks import mask_reading, mask_rules
from cosegnet_jax.runtime.errors import UserError

Y, X = np.mgrid[:48, :64]
OBJECT = ((X - 30) / 22) ** 2 + ((Y - 25) / 17) ** 2 < 1  # 38 % of the picture
RIM = ndimage.binary_dilation(OBJECT, iterations=2) & ~ndimage.binary_erosion(OBJECT, iterations=2)
GRAY = Image.fromarray((OBJECT * 255).astype(np.uint8))
BLACK, WHITE = Image.new('L', (64, 48)), Image.new('L', (64, 48), 255)
NOISE = np.random.default_rng(0).integers(0, 200, (48, 64, 3), np.uint8)  # a photo, as far as masks know


def levels(values, dtype=np.uint8):
    return Image.fromarray(np.asarray(values).astype(dtype))


def numbers(inside, outside=0, border=None):
    found = np.where(OBJECT, inside, outside)
    return found if border is None else np.where(RIM, border, found)


def two_entries(first, second, index):
    image = levels(index)
    image.putpalette([*first, *second])
    return image


def with_alpha(image, alpha):
    image = image.copy()
    image.putalpha(alpha)
    return image


def soft(radius, scale=1):
    big = GRAY.resize((64 * scale, 48 * scale), Image.Resampling.NEAREST)
    return big.filter(ImageFilter.GaussianBlur(radius))


def mark(path, image, ranges=None, **options):
    image.save(path, **options)
    return mask_reading.mark_object(load(path), path, ranges) > 0


CERTAIN = {
    'bits': levels(OBJECT, bool),
    '0 and 1': levels(OBJECT),
    '0 and 255': GRAY,
    '0 and 254': levels(OBJECT * 254),
    '0 and 255 in RGB': GRAY.convert('RGB'),
    '0 and 65535 in 16 bits': levels(OBJECT * 65535, np.uint16),
    '0 and 255 in 16 bits': levels(OBJECT * 255, np.uint16),
    '0 and 4095 in 16 bits': levels(OBJECT * 4095, np.uint16),
    '0 and 1 in 16 bits': levels(OBJECT, np.uint16),
    'class 1 in the blue channel': levels(OBJECT[..., None] * [0, 0, 1]),
    'red on black': levels(OBJECT[..., None] * [255, 0, 0]),
    'palette, black first': two_entries((0, 0, 0), (255, 255, 255), OBJECT),
    'palette, white first': two_entries((255, 255, 255), (0, 0, 0), ~OBJECT),
    'palette, red on black': two_entries((0, 0, 0), (200, 0, 0), OBJECT),
    'palette, black second, red first': two_entries((200, 0, 0), (0, 0, 0), ~OBJECT),
    'palette by quantizing gray': GRAY.quantize(2),
    'palette by quantizing RGB': GRAY.convert('RGB').quantize(16),
    'palette of PASCAL VOC, one class': palette(numbers(15)),
    'palette of PASCAL VOC, one class and its border': palette(numbers(15, border=255)),
    'RGB of PASCAL VOC, one class and its border': palette(numbers(15, border=255)).convert('RGB'),
    'palette, transparent ground': with_alpha(GRAY.convert('RGB'), GRAY).quantize(4),
    'gray and alpha, white': with_alpha(WHITE, GRAY),
    'gray and alpha, black': with_alpha(BLACK, GRAY),
    'gray and alpha, a cut-out': with_alpha(levels(NOISE[..., 0]), GRAY),
    'RGBA, a cut-out': with_alpha(levels(NOISE), GRAY),
    'RGBA, black and white, opaque': with_alpha(GRAY.convert('RGB'), WHITE),
    'RGBA, black and white, a transparent row': with_alpha(
        GRAY.convert('RGB'), levels(np.where(Y < 2, 0, 255))
    ),
    'RGBA, one color, soft alpha': with_alpha(Image.new('RGB', (64, 48), (9, 99, 9)), soft(1)),
    'soft edge': soft(1),
    'soft edge, quantized': soft(1).quantize(8),
    'soft edge in 16 bits': levels(np.asarray(soft(1), float) * 257, np.uint16),
}


@pytest.mark.parametrize('kind', CERTAIN)
def test_what_is_certain_is_the_object(tmp_path, kind):
    found = mark(tmp_path / 'mask.png', CERTAIN[kind])
    different = found ^ OBJECT
    if 'border' in kind:
        assert not (found & ~OBJECT).any()
        assert (found == OBJECT)[~RIM].all()
    elif 'soft' in kind:
        assert not (different & ~RIM).any()
        assert abs(found.mean() - OBJECT.mean()) < 0.01
    else:
        assert not different.any()


def test_a_transparent_entry_of_a_palette_is_ground(tmp_path):
    image = two_entries((255, 255, 255), (0, 0, 0), ~OBJECT)
    np.testing.assert_array_equal(mark(tmp_path / 'a.png', image, transparency=1), OBJECT)


@pytest.mark.parametrize(
    ('suffix', 'options'),
    [('.jpg', {'quality': 5}), ('.jpg', {'quality': 40}), ('.jpg', {'quality': 90}),
     ('.webp', {'quality': 30}), ('.webp', {'lossless': True}), ('.gif', {}), ('.bmp', {}),
     ('.tif', {}), ('.avif', {})],
)  # fmt: skip
def test_the_format_of_a_file_changes_nothing_but_the_edge(tmp_path, suffix, options):
    if suffix == '.avif' and '.avif' not in Image.registered_extensions():
        pytest.skip('this Pillow writes no AVIF')
    found = mark(tmp_path / f'mask{suffix}', GRAY, **options)
    assert not ((found ^ OBJECT) & ~RIM).any()


def test_noise_of_a_lossy_format_saved_losslessly(tmp_path):
    for kind in ('L', 'RGB'):
        file = io.BytesIO()
        GRAY.convert(kind).save(file, 'JPEG', quality=40)
        found = mark(tmp_path / 'mask.png', Image.open(file))
        assert not ((found ^ OBJECT) & ~RIM).any()


@pytest.mark.parametrize('scale', [1, 8])
@pytest.mark.parametrize('make', [lambda p: p, lambda p: p * 65535, lambda p: p * 255, lambda p: p * 0.97])
def test_a_soft_mask_is_cut_at_one_half(tmp_path, scale, make):
    probabilities = ndimage.gaussian_filter(np.kron(OBJECT, np.ones((scale, scale))), 1.5 * scale)
    values = make(probabilities)
    image = levels(values, np.float32 if values.max() <= 1 else np.uint16 if values.max() > 255 else np.uint8)
    found = mark(tmp_path / ('mask.tif' if image.mode == 'F' else 'mask.png'), image)
    np.testing.assert_array_equal(
        found, np.asarray(image) >= {'F': 0.5, 'L': 127.5, 'I;16': 32767.5}[image.mode]
    )


UNCERTAIN = {
    'classes of COCO-Stuff': (levels(numbers(17, 157, 255)), '17, 157, 255'),
    'classes and ground': (levels(numbers(17, 157)), '17, 157'),
    'one class beside 0': (levels(numbers(15)), '0, 15'),
    'one bright class beside 0': (levels(numbers(157)), '0, 157'),
    'classes of PASCAL VOC turned gray': (levels(numbers(15, border=255)), '0, 15, 255'),
    'class 1 with a border': (levels(numbers(1, border=255)), '0, 1, 255'),
    'a trimap': (levels(numbers(255, border=128)), '0, 128, 255'),
    'the trimap of pets': (levels(numbers(1, 2, border=3)), '1, 2, 3'),
    'percent': (levels(numbers(100)), '0, 100'),
    'instances in 16 bits': (levels(np.where(OBJECT, 1 + 299 * (X > 30), 0), np.uint16), '0, 1, 300'),
    'one instance in 16 bits': (levels(numbers(300), np.uint16), '0, 300'),
    'levels below 0': (levels(numbers(1, -1), np.int32), 'below 0'),
    'weak probabilities': (levels(np.asarray(soft(1), float) / 600, np.float32), 'none is one half'),
    'two probabilities': (levels(numbers(0.9), np.float32), '0, 0.9'),
    'NaN': (levels(numbers(np.nan), np.float32), 'NaN'),
    'infinity': (levels(numbers(np.inf), np.float32), 'infinity'),
    'palette of one color': (two_entries((0, 0, 0), (0, 0, 0), OBJECT), 'one color'),
    'palette without black': (two_entries((0, 0, 200), (200, 200, 0), OBJECT), 'none is black'),
    'palette, two classes': (palette(np.where(OBJECT, 15 - 3 * (X > 30), 0)), '2 colors beside black'),
    'palette of grays, class and border': (levels(numbers(15, border=255)).convert('P'), '0, 15, 255'),
    'palette, nothing but the border': (palette(np.where(RIM, 255, 0)), '0, 224'),
    'classes in two channels': (
        levels(np.where(OBJECT[..., None], np.where(X[..., None] > 30, [1, 0, 0], [0, 0, 1]), 0)),
        '2 colors beside black',
    ),
    'one color throughout': (Image.new('RGB', (64, 48), (9, 99, 9)), 'one color throughout'),
    'one level throughout': (Image.new('L', (64, 48), 7), 'levels 7'),
    'a dark photo': (levels(NOISE[..., 0] // 4), 'numbers'),
    'a photo': (levels((X * 4).clip(0, 255)), 'as a photo is'),
    'colors': (quarters(size=(64, 48)), 'in color'),
    'colors on transparent ground': (
        with_alpha(palette(np.where(OBJECT, 15 - 3 * (X > 30), 0)).convert('RGB'), GRAY),
        '2 colors on transparent ground',
    ),
    'nothing but transparency': (with_alpha(WHITE, BLACK), 'transparent throughout'),
    'black that hides white': (with_alpha(levels(~OBJECT * 255), GRAY), 'another one in its transparency'),
}


@pytest.mark.parametrize('kind', UNCERTAIN)
def test_what_is_not_certain_is_refused_by_name(tmp_path, kind):
    image, reason = UNCERTAIN[kind]
    path = tmp_path / ('mask.tif' if image.mode == 'F' or 'below' in kind else 'mask.png')
    with pytest.raises(UserError) as caught:
        mark(path, image)
    message = str(caught.value)
    assert message.startswith(f'{path}: the mask ')
    assert reason in message
    assert 'mask_values=' in message
    assert '\n' not in message


@pytest.mark.parametrize(
    ('image', 'text'),
    [
        (levels(numbers(17, 157)), '17'),
        (levels(np.where(OBJECT, 1 + 299 * (X > 30), 0), np.uint16), 'nonzero'),
        (levels(np.where(OBJECT, 1 + 299 * (X > 30), 0), np.uint16), '1-300'),
        (levels(numbers(3, 4)), '3'),
        (palette(np.where(OBJECT, 15 - 3 * (X > 30), 0)), '12,15'),
        (two_entries((0, 0, 200), (200, 200, 0), OBJECT), '1'),
        (levels(np.where(OBJECT[..., None], np.where(X[..., None] > 30, [0, 0, 1], [0, 0, 2]), 0)), '1-2'),
        (levels(numbers(7, 1), np.float32), '7'),
        (levels(numbers(2, 1), np.int32), '2'),
    ],
)
def test_mask_values_make_it_certain(tmp_path, image, text):
    path = tmp_path / ('mask.tif' if image.mode in 'FI' else 'mask.png')
    np.testing.assert_array_equal(mark(path, image, mask_rules.parse(text).of('')), OBJECT)


@pytest.mark.parametrize('image', [quarters(size=(64, 48)), levels(numbers(0.5), np.float32)])
def test_mask_values_need_numbers(tmp_path, image):
    with pytest.raises(UserError, match=r'mask_values are .*numbers, and the mask has'):
        mark(tmp_path / 'mask.tif', image, ((1, 1),))


@pytest.mark.parametrize('value', [0, 1])
@pytest.mark.parametrize('draw', [lambda m: Image.fromarray(m * 255), palette], ids=['gray', 'palette'])
def test_a_mask_may_be_empty_or_full(tmp_path, draw, value):
    np.testing.assert_array_equal(
        mark(tmp_path / 'mask.png', draw(np.full((20, 40), value, np.uint8))), np.full((20, 40), value)
    )


def test_a_mask_of_another_size_is_an_error(tmp_path):
    quarters().save(tmp_path / 'photo.png')
    for size in ((20, 20), (20, 40)):
        top_left(size).save(tmp_path / 'mask.png')
        with pytest.raises(
            UserError, match=f'mask.png: {size[0]}x{size[1]} pixels, but .*photo.png has 40x20'
        ):
            photos.read(tmp_path / 'photo.png', tmp_path / 'mask.png')


def test_class_numbers_are_indices_but_for_the_undecided_border(tmp_path):
    palette(numbers(15, border=255)).save(tmp_path / 'mask.png')
    found = mask_reading.class_numbers(load(tmp_path / 'mask.png'), tmp_path / 'mask.png')
    np.testing.assert_array_equal(found, numbers(15, border=0))


def test_class_numbers_need_a_palette(tmp_path):
    GRAY.save(tmp_path / 'mask.png')
    with pytest.raises(UserError, match=r'mask\.png: no palette'):
        functools.partial(mask_reading.class_numbers, load(tmp_path / 'mask.png'))(tmp_path / 'mask.png')


def in_jpeg(tmp_path, drawn, quality):
    return mark(tmp_path / 'mask.jpg', levels(drawn), quality=quality)


@pytest.mark.parametrize('quality', [50, 75, 95])
@pytest.mark.parametrize(
    ('first', 'second'), [(38, 255), (9, 255), (75, 113), (128, 220), (200, 255), (15, 38), (220, 251)]
)
def test_numbers_of_classes_in_jpeg_are_refused_by_name(tmp_path, quality, first, second):
    y, x = np.mgrid[:200, :300]
    drawn = np.where((x - 80) ** 2 + (y - 90) ** 2 < 60**2, first, 0)
    drawn[40:180, 160:290] = second
    with pytest.raises(UserError, match=r'\.jpg: the mask .* look like numbers of classes .*mask_values='):
        in_jpeg(tmp_path, drawn, quality)


@pytest.mark.parametrize('quality', [30, 60, 75, 95])
@pytest.mark.parametrize('soft', [0, 1, 2, 4])
def test_a_mask_in_jpeg_may_have_soft_edges_and_thin_parts(tmp_path, quality, soft):
    y, x = np.mgrid[:200, :300]
    drawn = (x - 120) ** 2 + (y - 100) ** 2 < 70**2
    drawn |= (abs(y - 100) < 6) & (x > 120)  # an arm
    drawn |= (abs(x - 100) < 2) & (y > 100)  # thinner than the edges are soft
    blurred = ndimage.gaussian_filter(drawn * 255.0, soft)
    found = in_jpeg(tmp_path, blurred, quality)
    assert (found != (blurred >= 127.5)).mean() < 0.01
