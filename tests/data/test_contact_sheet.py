import numpy as np
import pytest
from PIL import Image

from cosegnet_jax.data import contact_sheet, outline
from cosegnet_jax.data.examples import Examples

SIDE = 24
BLUE = (20, 40, 220)


def examples(classes, images_of_class, empty=()):
    """Blue images; the mask is the left half but for images in `empty`."""
    n = classes * images_of_class
    masks = np.zeros((n, SIDE, SIDE), np.uint8)
    masks[:, :, : SIDE // 2] = 1
    masks[list(empty)] = 0
    images = np.full((n, SIDE, SIDE, 3), BLUE, np.uint8)
    labels = np.repeat(np.arange(classes), images_of_class)
    names = tuple(f'{label}/{row}' for row, label in enumerate(labels))
    return Examples.in_memory('x', tuple(f'class {c}' for c in range(classes)), names, labels, images, masks)


def count(sheet, color):
    return int((np.asarray(sheet) == color).all(-1).sum())


def test_each_class_shows_a_few_of_its_images():
    few, many = contact_sheet.draw(examples(2, 3), 0), contact_sheet.draw(examples(2, 30), 0)
    half = SIDE * SIDE // 2
    assert count(few, BLUE) == 2 * 3 * half
    assert count(many, BLUE) == 2 * contact_sheet.IMAGES_OF_CLASS * half


def test_an_object_is_outlined_and_the_rest_dimmed():
    sheet = contact_sheet.draw(examples(1, 2), 0)
    assert count(sheet, outline.COLOR) == 2 * 2 * SIDE  # two pixels wide along the height
    assert count(sheet, BLUE) == 2 * SIDE * SIDE // 2


def test_outliers_have_a_frame_and_are_not_dimmed():
    assert count(contact_sheet.draw(examples(1, 2), 0), contact_sheet.OUTLIER) == 0
    sheet = contact_sheet.draw(examples(1, 2, empty=[1]), 0)
    assert count(sheet, contact_sheet.OUTLIER) >= 2 * 4 * SIDE


def test_a_class_is_marked_by_its_own_value_of_the_mask():
    both = examples(2, 2)
    masks = both.masks.copy()
    masks[:, :, SIDE // 2 :] = 2
    labels = np.array([[0, 1]] * 4)
    of_two = Examples.in_memory('x', both.classes, both.filenames, labels, both.images, masks)
    sheet = np.asarray(contact_sheet.draw(of_two, 0))
    half = len(sheet) // 2
    first, second = (
        np.argwhere((part == outline.COLOR).all(-1))[:, 1].min() for part in (sheet[:half], sheet[half:])
    )
    assert (first, second) == (contact_sheet.MARGIN + SIDE // 2, contact_sheet.MARGIN + SIDE // 2 - 2)


def test_the_seed_draws_the_images():
    shades = examples(1, 40)
    shades.images[:] = np.arange(40)[:, None, None, None] * 6
    sheets = [np.asarray(contact_sheet.draw(shades, seed)) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(sheets[0], sheets[1])
    assert (sheets[0] != sheets[2]).any()


@pytest.mark.parametrize('classes', [1, 6, 20, 38])
def test_sheets_stay_narrow(classes):
    wide = examples(classes, 2)
    large = Examples.in_memory(
        'x',
        wide.classes,
        wide.filenames,
        wide.labels,
        wide.images.repeat(6, 1).repeat(6, 2),
        wide.masks.repeat(6, 1).repeat(6, 2),
    )
    sheet = contact_sheet.draw(large, 0)
    assert sheet.width <= 2000
    assert count(sheet, BLUE) == classes * 2 * 144 * 72


def test_a_sheet_is_written(tmp_path):
    contact_sheet.write(tmp_path / 'sheet.png', examples(2, 2))
    with Image.open(tmp_path / 'sheet.png') as image:
        assert image.mode == 'RGB'
