import subprocess
import sys

import numpy as np
import pytest

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.triplets import Triplets, TripletSampler, gather
from cosegnet_jax.errors import UserError

LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 0, 3, 3, 1])
# Image 9 is an outlier of class 0; of class 3 only image 11 shows the object, which leaves it no partner.
ELIGIBLE = np.array([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1], bool)
OUTLIERS, LONELY = {9, 12}, 11


def sampler(seed=0):
    return TripletSampler(LABELS, ELIGIBLE, seed)


def drawn(steps, batch, seed=0):
    return np.concatenate([sampler(seed).draw(step, batch).indices for step in range(steps)])


def numbered(count, height=3, width=4):
    """Examples in which no two pixels have the same bytes, and masks that follow the images."""
    images = np.arange(count * height * width * 3).reshape(count, height, width, 3).astype(np.uint8)
    return Examples(
        name='numbered',
        classes=('only',),
        filenames=tuple(f'only/{i}' for i in range(count)),
        labels=np.zeros(count, int),
        images=images,
        masks=images[..., 0] % 2,
    )


def test_positive_is_another_image_of_the_class_that_shows_the_object():
    anchor, positive, _ = drawn(200, 8).T
    assert (LABELS[anchor] == LABELS[positive]).all()
    assert (anchor != positive).all()
    assert ELIGIBLE[anchor].all()
    assert ELIGIBLE[positive].all()


def test_negative_is_of_another_class_or_an_outlier():
    anchor, _, negative = drawn(200, 8).T
    assert ((LABELS[anchor] != LABELS[negative]) | ~ELIGIBLE[negative]).all()
    assert (anchor != negative).all()


def test_outlier_is_a_negative_within_its_own_class_too():
    anchor, _, negative = drawn(200, 8).T
    assert (LABELS[anchor] == LABELS[negative]).any()


def test_partners_are_drawn_evenly():
    anchor, positive, negative = drawn(4000, 8).T
    of_three = anchor == 3
    positives = np.bincount(positive[of_three], minlength=len(LABELS))
    negatives = np.bincount(negative[of_three], minlength=len(LABELS))
    others = np.setdiff1d(np.flatnonzero((LABELS == 0) & ELIGIBLE), 3)
    strangers = np.flatnonzero((LABELS != 0) | ~ELIGIBLE)
    assert set(np.flatnonzero(positives)) == set(others)
    assert set(np.flatnonzero(negatives)) == set(strangers)
    np.testing.assert_allclose(positives[others] / of_three.sum(), 1 / len(others), atol=0.04)
    np.testing.assert_allclose(negatives[strangers] / of_three.sum(), 1 / len(strangers), atol=0.04)


@pytest.mark.parametrize('batch', [1, 3, 4, 25])
def test_every_image_with_a_partner_is_anchor_once_an_epoch(batch):
    expected = sorted(set(range(len(LABELS))) - OUTLIERS - {LONELY})
    count = sampler().anchors_per_epoch
    anchors = drawn(3 * count, batch)[:, 0]
    epochs = anchors[: len(anchors) // count * count].reshape(-1, count)
    assert len(epochs) >= 3
    for epoch in epochs:
        assert sorted(epoch) == expected
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_draw_is_a_function_of_seed_and_step():
    first, again = sampler(), sampler()
    later = [again.draw(step, 4) for step in (7, 2, 5)]  # neither from the start nor in order
    for step, triplets in zip((7, 2, 5), later, strict=True):
        np.testing.assert_array_equal(first.draw(step, 4).indices, triplets.indices)
        np.testing.assert_array_equal(first.draw(step, 4).flips, triplets.flips)
    assert (drawn(8, 4) != drawn(8, 4, seed=1)).any(axis=0).all()


def test_each_image_is_flipped_by_its_own_even_coin():
    flips = np.concatenate([sampler().draw(step, 8).flips for step in range(500)])
    np.testing.assert_allclose(flips.mean(axis=0), 0.5, atol=0.03)
    np.testing.assert_allclose(np.corrcoef(flips.T), np.eye(3), atol=0.06)


def test_gather_takes_the_pixels_of_each_index():
    examples = numbered(5)
    triplets = Triplets(np.array([[4, 0, 2], [1, 1, 3]]), np.ones((2, 3), bool))
    batch = gather(examples, triplets, flip=False)
    np.testing.assert_array_equal(batch.images, examples.images[triplets.indices])
    np.testing.assert_array_equal(batch.masks, examples.masks[triplets.indices])
    assert batch.images.dtype == batch.masks.dtype == np.uint8


def test_flip_mirrors_image_and_mask_of_the_marked_ones_only():
    examples = numbered(5)
    triplets = Triplets(np.array([[4, 0, 2]]), np.array([[True, False, True]]))
    batch = gather(examples, triplets, flip=True)
    for place, (index, flipped) in enumerate([(4, True), (0, False), (2, True)]):
        image, mask = examples.images[index], examples.masks[index]
        np.testing.assert_array_equal(batch.images[0, place], image[:, ::-1] if flipped else image)
        np.testing.assert_array_equal(batch.masks[0, place], mask[:, ::-1] if flipped else mask)


def test_one_class_with_outliers_has_negatives():
    triplets = TripletSampler(np.zeros(4, int), np.array([1, 1, 1, 0], bool), 0).draw(0, 6)
    assert (triplets.indices[:, 2] == 3).all()


def test_one_class_without_outliers_is_an_error():
    with pytest.raises(UserError, match='all images are of one class'):
        TripletSampler(np.zeros(4, int), np.ones(4, bool), 0)


def test_classes_without_a_pair_are_an_error():
    with pytest.raises(UserError, match='no class has two images'):
        TripletSampler(np.array([0, 0, 1, 2]), np.array([1, 0, 1, 1], bool), 0)


def test_empty_set_is_an_error():
    with pytest.raises(UserError, match='no class has two images'):
        TripletSampler(np.zeros(0, int), np.zeros(0, bool), 0)


def test_only_the_pipeline_needs_tensorflow():
    names = ', '.join(f'cosegnet_jax.data.{name}' for name in ('folder', 'splits', 'triplets', 'shapes'))
    code = f'import sys; import {names}; sys.exit("tensorflow" in sys.modules)'
    subprocess.run([sys.executable, '-c', code], check=True)
