import numpy as np
from PIL import Image

from cosegnet_jax.inference import guided_filter
from cosegnet_jax.inference.guided_filter import refine


def disc(side):
    """A bright disc on dark noise, and its mask."""
    y, x = np.mgrid[:side, :side]
    inside = (x - side * 0.45) ** 2 + (y - side * 0.5) ** 2 < (side / 4) ** 2
    pixels = np.random.default_rng(0).integers(0, 40, (side, side, 3))
    pixels[inside] += 180
    return Image.fromarray(pixels.astype(np.uint8)), inside


def shrunken(mask, side):
    return np.asarray(Image.fromarray(mask.astype(np.float32)).resize((side, side), Image.Resampling.BOX))


def errors(soft, truth):
    return np.mean((soft >= 0.5) != truth)


def test_edges_of_a_small_mask_come_to_lie_on_those_of_the_photo():
    photo, truth = disc(400)
    small = shrunken(truth, 16)
    enlarged = np.asarray(Image.fromarray(small).resize(photo.size, Image.Resampling.BILINEAR))
    refined = refine(small, photo)
    assert refined.shape == truth.shape
    assert refined.dtype == np.float32
    assert 0 <= refined.min() <= refined.max() <= 1
    assert errors(refined, truth) < errors(enlarged, truth) / 3


def test_where_the_photo_has_no_edges_the_mask_stays():
    small = shrunken(disc(100)[1], 50)
    refined = refine(small, Image.new('RGB', (120, 90), (90, 120, 30)))
    enlarged = np.asarray(Image.fromarray(small).resize((120, 90), Image.Resampling.BILINEAR))
    assert np.abs(refined - enlarged).mean() < 0.1


def test_a_mask_that_is_the_same_everywhere_stays_so():
    photo, _ = disc(64)
    np.testing.assert_allclose(refine(np.full((8, 8), 0.25, np.float32), photo), 0.25, atol=1e-3)


def test_photos_of_one_pixel_and_of_one_row():
    for size in ((1, 1), (300, 1)):
        assert refine(np.ones((8, 8), np.float32), Image.new('RGB', size)).shape == size[::-1]


def test_the_fit_is_the_least_squares_line_of_each_window(monkeypatch):
    """At a pixel whose windows all see the same two colors, the fit is the line through both."""
    monkeypatch.setattr(guided_filter, 'EPSILON', 1e-8)
    guide = np.zeros((40, 40, 3), np.float32)
    guide[::2] = 0.5
    target = guide[..., 0] * 1.2 + 0.1
    slopes, offsets = guided_filter._fit(guide, target.astype(np.float32))
    np.testing.assert_allclose((slopes * guide).sum(-1) + offsets, target, atol=0.02)
