import dataclasses

import numpy as np
from PIL import Image

from cosegnet_jax.data import outline
from cosegnet_jax.reports.figures import pair_pictures
from cosegnet_jax.reports.figures.pair_views import ImageView, PairView


def tiles(strip, width):
    return [strip[:, k * (width + pair_pictures.GAP) :][:, :width] for k in range(3)]


def square_scene(shift=0):
    """A red image with a square mask; the truth is that far to its right."""
    image = np.full((20, 30, 3), (200, 40, 40), dtype=np.uint8)
    mask = np.zeros((20, 30), dtype=bool)
    mask[5:15, 10:20] = True
    return ImageView('red.png', 'square', image, mask, np.roll(mask, shift, axis=1))


def test_strip_shows_photo_mask_with_outline_and_cut_out():
    scene = square_scene(shift=8)
    red = scene.photo[0, 0]
    photo, overlay, cutout = tiles(pair_pictures.strip(scene, True, side=40), 60)
    assert (photo == red).all()
    assert overlay[20, 24, 2] > 150 > overlay[20, 24, 0]  # the mask is blue
    assert len(set(overlay[5, 5].tolist())) == 1  # the rest is gray
    assert (overlay == outline.COLOR).all(axis=2).any()
    assert (cutout[20, 30] == red).all()
    assert (cutout[20, 50] == 255).all()  # true object, but not in the mask


def test_closed_gate_leaves_an_empty_box():
    _, overlay, cutout = tiles(pair_pictures.strip(square_scene(), False, side=40), 60)
    assert (cutout[1:-1, 1:-1] == 255).all()
    assert (cutout[0] == pair_pictures.BOX_COLOR).all()
    assert overlay[20, 30, 2] > 150 > overlay[20, 30, 0]  # the mask itself is still shown


def test_strip_keeps_proportions():
    strip = pair_pictures.strip(square_scene(), True, side=50)
    assert strip.shape == (50, 3 * 75 + 2 * pair_pictures.GAP, 3)


def test_picture_has_a_row_for_each_pair(tmp_path):
    pair = PairView((square_scene(), square_scene()), probability=0.7, is_open=True, shares_object=True)
    sizes = []
    for count in (1, 3):
        pair_pictures.write_pairs(tmp_path / 'pairs.png', [pair] * count, side=60)
        with Image.open(tmp_path / 'pairs.png') as picture:
            assert picture.format == 'PNG'
            sizes.append(picture.size)
    (width, height), (same_width, three_heights) = sizes
    assert width == same_width == 6 * 90 + 8 * pair_pictures.GAP
    assert three_heights == 3 * height


def colors_below_the_text(path, side, column):
    """Pixels of one tile of a picture of one compared pair, without its frame."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture)
    top = 2 * pair_pictures.CAPTION
    left = column * (30 * side // 20 + pair_pictures.GAP) + column // 2 * (
        pair_pictures.BETWEEN - pair_pictures.GAP
    )
    return pixels[top + 1 : top + side - 1, left + 1 : left + 30 * side // 20 - 1]


def test_models_are_compared_by_what_they_cut_out_after_their_decision(tmp_path):
    scene = square_scene()
    pairs = {
        name: [PairView((scene, scene), probability=0.5, is_open=is_open, shares_object=False)]
        for name, is_open in (('open', True), ('closed', False))
    }
    file = tmp_path / 'compared.png'
    pair_pictures.write_compared(file, pairs, side=40)
    photo, found, empty = (
        [colors_below_the_text(file, 40, column) for column in columns]
        for columns in ((0, 1), (2, 3), (4, 5))
    )
    for tile in photo:
        assert (tile == scene.photo[0, 0]).all()
    for tile in found:
        assert (tile[20, 30] == scene.photo[0, 0]).all()
        assert (tile[2, 2] == 255).all()
    for tile in empty:
        assert (tile == 255).all()


def test_long_names_do_not_run_into_the_next_text(tmp_path):
    scene = dataclasses.replace(square_scene(), classes='a name as long as a sentence, or longer still')
    pair = PairView((scene, scene), probability=0.5, is_open=True, shares_object=False)
    file = tmp_path / 'compared.png'
    pair_pictures.write_compared(file, {'one': [pair], 'two': [pair]}, side=60)
    with Image.open(file) as picture:
        text = np.asarray(picture.convert('L'))[pair_pictures.CAPTION : 2 * pair_pictures.CAPTION]
    start = 2 * 90 + pair_pictures.GAP + pair_pictures.BETWEEN  # of the second text
    assert text[:, : start // 2].min() < 128
    assert (text[:, start - pair_pictures.GAP + 1 : start] == 255).all()
    assert text[:, start : 2 * start].min() < 128
