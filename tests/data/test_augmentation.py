import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosegnet_jax.config import Data
from cosegnet_jax.data import augmentation
from cosegnet_jax.data.batches import Batch

SIDE = 8
KEY = jax.random.key(0)


@pytest.fixture(scope='module')
def batch():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 5, SIDE, SIDE, 3), np.uint8)
    masks, zeros = jnp.asarray(images[..., 0] % 2), jnp.zeros((40, 5, 1), jnp.int32)
    return Batch(jnp.asarray(images), masks, labels=zeros, numbers=zeros[..., 0])


def test_nothing_asked_is_nothing_done(batch):
    same = augmentation.augment(batch, KEY, Data(flip=False))
    jax.tree.map(np.testing.assert_array_equal, same, batch)


def test_each_image_is_mirrored_with_its_mask_by_its_own_even_coin(batch):
    flipped = augmentation.augment(batch, KEY, Data(flip=True))
    mirrored = np.array((flipped.images == batch.images[..., ::-1, :]).all((2, 3, 4)))
    kept = np.array((flipped.images == batch.images).all((2, 3, 4)))
    assert (mirrored ^ kept).all()
    assert 0.4 < mirrored.mean() < 0.6
    np.testing.assert_array_equal(flipped.masks, flipped.images[..., 0] % 2)
    assert len({tuple(row) for row in mirrored.tolist()}) > 10  # no coin is shared by a group


def test_another_key_varies_otherwise(batch):
    config = Data(scale_crop=0.5, color=0.5)
    first, again = (augmentation.augment(batch, KEY, config) for _ in range(2))
    jax.tree.map(np.testing.assert_array_equal, first, again)
    assert (augmentation.augment(batch, jax.random.key(1), config).images != first.images).any()


def test_crop_of_a_quarter_is_that_quarter_enlarged():
    image = jnp.zeros((SIDE, SIDE, 3), jnp.uint8).at[4:, :4].set(100).at[5:7, 1:3].set(200)
    pixels, mask = augmentation.crop(image, image[..., 0], *(jnp.float32(x) for x in (0.5, 0.5, 0.0)))
    # Each new pixel lies a quarter from the nearest old one, of which the last has no neighbor.
    np.testing.assert_array_equal(pixels[:, 3, 0], [75, 125, 175, 200, 200, 175, 125, 100])
    np.testing.assert_array_equal(mask, np.kron(image[4:, :4, 0], np.ones((2, 2))))


def test_crop_of_everything_changes_nothing(batch):
    one, zero = jnp.ones(batch.images.shape[:2]), jnp.zeros(batch.images.shape[:2])
    images, masks = augmentation.crop(batch.images, batch.masks, one, zero, zero)
    np.testing.assert_array_equal(images, batch.images)
    np.testing.assert_array_equal(masks, batch.masks)


def test_crops_are_of_the_asked_sizes_and_lie_inside(monkeypatch, batch):
    seen = {}

    def keep(images, masks, scale, top, left):
        seen.update(scale=scale, ends=jnp.stack([top + scale, left + scale]), starts=jnp.stack([top, left]))
        return images, masks

    monkeypatch.setattr(augmentation, 'crop', keep)
    augmentation.augment(batch, KEY, Data(scale_crop=0.4))
    assert seen['scale'].min() == pytest.approx(0.6, abs=0.02)
    assert seen['scale'].max() == pytest.approx(1.0, abs=0.02)
    assert seen['starts'].min() >= 0
    assert seen['ends'].max() <= 1 + 1e-6


def test_color_leaves_masks_and_uses_each_factor():
    image = jnp.array([[[100, 50, 0], [100, 150, 200]]], jnp.uint8)

    def recolored(*factors):
        return np.asarray(augmentation.recolor(image, *map(jnp.float32, factors)))[0].tolist()

    assert recolored(1, 1, 1) == image[0].tolist()
    assert recolored(1.5, 1, 1) == [[150, 75, 0], [150, 225, 255]]
    gray = [0.299 * 100 + 0.587 * 50, 0.299 * 100 + 0.587 * 150 + 0.114 * 200]
    assert recolored(1, 1, 0) == [[round(gray[0])] * 3, [round(gray[1])] * 3]
    assert recolored(1, 0, 0) == [[round(sum(gray) / 2)] * 3] * 2
