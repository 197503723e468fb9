import numpy as np
from PIL import Image

from cosegnet_jax.evaluation import pictures
from cosegnet_jax.evaluation.shown import ShownImage, ShownPair


def tiles(strip, width):
    return [strip[:, k * (width + pictures.GAP) :][:, :width] for k in range(3)]


def square_scene(shift=0):
    """A red image with a square mask; the truth is that far to its right."""
    image = np.full((20, 30, 3), (200, 40, 40), dtype=np.uint8)
    mask = np.zeros((20, 30), dtype=bool)
    mask[5:15, 10:20] = True
    return ShownImage('red.png', 'square', image, mask, np.roll(mask, shift, axis=1))


def test_strip_shows_photo_mask_with_outline_and_cut_out():
    scene = square_scene(shift=8)
    red = scene.photo[0, 0]
    photo, overlay, cutout = tiles(pictures.strip(scene, True, side=40), 60)
    assert (photo == red).all()
    assert overlay[20, 24, 2] > 150 > overlay[20, 24, 0]  # the mask is blue
    assert len(set(overlay[5, 5].tolist())) == 1  # the rest is grey
    assert (overlay == pictures.OUTLINE_COLOUR).all(axis=2).any()
    assert (cutout[20, 30] == red).all()
    assert (cutout[20, 50] == 255).all()  # true object, but not in the mask


def test_closed_gate_leaves_an_empty_box():
    _, overlay, cutout = tiles(pictures.strip(square_scene(), False, side=40), 60)
    assert (cutout[1:-1, 1:-1] == 255).all()
    assert (cutout[0] == pictures.BOX_COLOUR).all()
    assert overlay[20, 30, 2] > 150 > overlay[20, 30, 0]  # the mask itself is still shown


def test_strip_keeps_proportions():
    strip = pictures.strip(square_scene(), True, side=50)
    assert strip.shape == (50, 3 * 75 + 2 * pictures.GAP, 3)


def test_picture_has_a_row_for_each_pair(tmp_path):
    pair = ShownPair((square_scene(), square_scene()), probability=0.7, is_open=True, shares_object=True)
    sizes = []
    for count in (1, 3):
        pictures.write_pairs(tmp_path / 'pairs.png', [pair] * count, side=60)
        with Image.open(tmp_path / 'pairs.png') as picture:
            assert picture.format == 'PNG'
            sizes.append(picture.size)
    (width, height), (same_width, three_heights) = sizes
    assert width == same_width == 6 * 90 + 8 * pictures.GAP
    assert three_heights == 3 * height
