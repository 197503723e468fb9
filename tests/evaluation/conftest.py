import numpy as np
import pytest

from cosegnet_jax.data.examples import Examples


@pytest.fixture
def examples():
    """19 images of 12x16 in three classes and one image of a fourth; three truths are empty."""
    rng = np.random.default_rng(5)
    labels = np.array([0] * 8 + [1] * 5 + [2] * 5 + [3])
    masks = (rng.random((19, 12, 16)) < 0.4).astype(np.uint8)
    masks[[0, 1, 9]] = 0
    return Examples(
        name='blobs',
        classes=('cat', 'dog', 'owl', 'fox'),
        filenames=tuple(f'image{i}' for i in range(19)),
        labels=labels,
        images=rng.integers(256, size=(19, 12, 16, 3), dtype=np.uint8),
        masks=masks,
    )


@pytest.fixture
def masks(examples):
    """Masks that are right at nine pixels of ten; one of an empty truth and two of objects are empty."""
    flipped = np.random.default_rng(6).random(examples.masks.shape) < 0.1
    masks = (examples.masks > 0) ^ flipped
    masks[[1, 4, 10]] = False
    return masks


@pytest.fixture
def decisions(examples):
    """Symmetric probabilities in tenths, so that many are tied and some lie on the threshold."""
    rng = np.random.default_rng(7)
    same = examples.labels[:, None] == examples.labels[None]
    tenths = np.clip(rng.integers(8, size=same.shape) + 3 * same, 0, 10)
    upper = np.triu(tenths, 1)
    return ((upper + upper.T) / 10).astype(np.float32)
