import numpy as np
import pytest
from scipy import ndimage

from cosegnet_jax.data import shapes
from cosegnet_jax.runtime.errors import UserError

SIZE = 64
PER_CLASS = 40


@pytest.fixture(scope='module')
def examples():
    return shapes.make(SIZE, PER_CLASS, seed=5)


def mean_jaccard(predicted, masks):
    truth = masks.astype(bool)
    return np.mean((predicted & truth).sum((1, 2)) / (predicted | truth).sum((1, 2)))


def best_jaccard(scores, masks):
    """Jaccard of the best of many thresholds, chosen on the very images it is measured on."""
    scores = np.broadcast_to(scores, masks.shape)
    return max(mean_jaccard(scores >= level, masks) for level in np.linspace(0, 0.9, 37))


def components(mask):
    return ndimage.label(mask, np.ones((3, 3)))[1]


def test_counts_types_and_names(examples):
    n = 6 * PER_CLASS
    assert examples.name == 'shapes'
    assert len(examples) == n
    assert examples.classes == ('disc', 'bar', 'triangle', 'star', 'cross', 'ring')
    assert examples.images.shape == (n, SIZE, SIZE, 3)
    assert examples.images.dtype == np.uint8
    assert examples.masks.shape == (n, SIZE, SIZE)
    assert examples.masks.dtype == np.uint8
    assert set(np.unique(examples.masks)) == {0, 1}
    assert np.bincount(examples.labels[:, 0]).tolist() == [PER_CLASS] * 6
    assert len(set(examples.filenames)) == n
    assert examples.filenames[PER_CLASS + 3] == 'bar/0003'
    for name, label in zip(examples.filenames, examples.labels[:, 0], strict=True):
        assert name.startswith(examples.classes[label] + '/')


def test_same_arguments_give_the_same_bytes():
    first, second = shapes.make(32, 2, seed=9), shapes.make(32, 2, seed=9)
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.masks, second.masks)


def test_larger_set_begins_with_the_smaller(examples):
    small = shapes.make(SIZE, 3, seed=5)
    first = examples.subset(np.flatnonzero(np.arange(len(examples)) % PER_CLASS < 3))
    assert small.filenames == first.filenames
    np.testing.assert_array_equal(small.labels, first.labels)
    np.testing.assert_array_equal(small.images, first.images)
    np.testing.assert_array_equal(small.masks, first.masks)


def test_every_image_is_another(examples):
    other = shapes.make(SIZE, 3, seed=6)
    images = np.concatenate([examples.images, other.images])
    assert len({image.tobytes() for image in images}) == len(images)


def test_one_seed_shows_the_same_scenes_at_every_size(examples):
    large = shapes.make(2 * SIZE, 2, seed=5)
    small = examples.subset(np.flatnonzero(np.arange(len(examples)) % PER_CLASS < 2))
    halved = large.masks.reshape(-1, SIZE, 2, SIZE, 2).mean((2, 4)) >= 0.5
    assert mean_jaccard(halved, small.masks) > 0.95


def test_area_of_the_object(examples):
    area = examples.masks.mean((1, 2))
    assert area.min() > 0.10
    assert area.max() < 0.40
    for label in range(6):  # no class is told by its area: each spans small and large
        assert area[examples.labels[:, 0] == label].min() < 0.18
        assert area[examples.labels[:, 0] == label].max() > 0.30


def test_some_images_show_two_figures_and_none_more(examples):
    count = np.array([components(mask) for mask in examples.masks])
    assert set(count) == {1, 2}
    assert 0.10 <= np.mean(count == 2) <= 0.25


def test_only_rings_have_a_hole(examples):
    for mask, label in zip(examples.masks, examples.labels[:, 0], strict=True):
        holes = components(ndimage.binary_fill_holes(mask) & ~mask.astype(bool))
        assert holes == (components(mask) if examples.classes[label] == 'ring' else 0)


def test_position_alone_does_not_give_the_mask_away(examples):
    assert best_jaccard(examples.masks.mean(0), examples.masks) < 0.48


def test_color_alone_does_not_give_the_mask_away(examples):
    # Share of object among the pixels of each of 8×8×8 colors, counted on every other image.
    color = np.ravel_multi_index(np.moveaxis(examples.images // 32, -1, 0), (8, 8, 8))
    counted, asked = slice(0, None, 2), slice(1, None, 2)
    inside = np.bincount(color[counted].ravel(), examples.masks[counted].ravel(), minlength=512)
    share = (inside + 1) / (np.bincount(color[counted].ravel(), minlength=512) + 5)
    assert best_jaccard(share[color[asked]], examples.masks[asked]) < 0.35


def test_figures_stand_out_from_what_is_round_about(examples):
    # Distance in RGB of each object's mean color from that of the ground within six pixels of it.
    differences = []
    for image, mask in zip(examples.images, examples.masks.astype(bool), strict=True):
        around = ndimage.binary_dilation(mask, iterations=6) & ~mask
        differences.append(np.linalg.norm(image[mask].mean(0) - image[around].mean(0)))
    assert np.quantile(differences, 0.05) > 75


@pytest.mark.parametrize(
    ('arguments', 'named'),
    [
        ((31, 1, 0), 'image_size is 31'),
        ((32, 0, 0), 'images_per_class is 0'),
        ((32, 1, -1), 'seed is -1'),
    ],
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(UserError, match=named):
        shapes.make(*arguments)
