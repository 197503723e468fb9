"""Composites on even photos, whose colors tell where every pixel is from."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosegnet_jax.data.batches import Batch
from cosegnet_jax.data.composites import paste
from cosegnet_jax.data.examples import NO_CLASS

SIDE, SHADE, GROUND = 64, 200, 100


def photos(labels) -> Batch:
    """Gray photos 100, 101 ... with a square of class labels[i] in shades 200, 201 ... in a corner."""
    n = len(labels)
    masks = np.zeros((n, 1, SIDE, SIDE), np.uint8)
    masks[:, :, 2:18, 4:20] = 1
    shades = np.arange(n, dtype=np.uint8)[:, None, None, None, None]
    images = np.where(masks[..., None] > 0, SHADE + shades, GROUND + shades) * np.ones(3, np.uint8)
    numbers = np.arange(n, dtype=np.int32)[:, None]
    return Batch(*map(jnp.asarray, (images, masks, np.array(labels, np.int32).reshape(n, 1, 1), numbers)))


@pytest.fixture(scope='module')
def pasted():
    given = photos([0, 1, 2, 3])
    return given, jax.jit(paste, static_argnums=2)(given, jax.random.key(1), 0.999)


def test_an_object_of_another_photo_is_pasted_with_its_label(pasted):
    given, after = pasted
    assert after.labels.shape == (4, 1, 2)
    np.testing.assert_array_equal(after.labels[..., 0], given.labels[..., 0])
    received = 0
    for image, mask, (own, other) in zip(
        after.images[:, 0], after.masks[:, 0], after.labels[:, 0], strict=True
    ):
        here = np.asarray(mask == 2)
        if other == NO_CLASS:
            assert not here.any()
            continue
        received += 1
        assert own != other
        rows, columns = here.any(1).nonzero()[0], here.any(0).nonzero()[0]
        side = max(np.ptp(rows), np.ptp(columns)) + 1
        assert 0.3 * SIDE < side < 0.8 * SIDE
        inside = np.asarray(image)[here][:, 0]
        assert np.median(inside) == SHADE + int(other)  # labels count as shades do
    assert received >= 3


def test_the_rest_of_a_photo_stays(pasted):
    given, after = pasted
    for before, image, mask in zip(given.images[:, 0], after.images[:, 0], after.masks[:, 0], strict=True):
        near = np.asarray(mask == 2)
        for _ in range(2):  # the seam is soft
            near = (
                near | np.roll(near, 1, 0) | np.roll(near, -1, 0) | np.roll(near, 1, 1) | np.roll(near, -1, 1)
            )
        np.testing.assert_array_equal(np.asarray(image)[~near], np.asarray(before)[~near])


def test_nothing_is_pasted_on_a_photo_of_its_class_or_without_a_share():
    alike = photos([5, 5, 5])
    after = paste(alike, jax.random.key(0), 0.999)
    np.testing.assert_array_equal(after.images, alike.images)
    assert (np.asarray(after.labels[..., 1]) == NO_CLASS).all()
    differing = photos([0, 1, 2])
    np.testing.assert_array_equal(paste(differing, jax.random.key(0), 0.0).masks, differing.masks)
