"""Fixtures: small sets with masks and decisions, some right and some wrong."""

import numpy as np
import pytest

from cosegnet_jax.data.examples import NO_CLASS, Examples


@pytest.fixture
def examples():
    """19 images of 12x16 in three classes and one image of a fourth; three truths are empty."""
    rng = np.random.default_rng(5)
    labels = np.array([0] * 8 + [1] * 5 + [2] * 5 + [3])
    masks = (rng.random((19, 12, 16)) < 0.4).astype(np.uint8)
    masks[[0, 1, 9]] = 0
    return Examples.in_memory(
        name='blobs',
        classes=('cat', 'dog', 'owl', 'fox'),
        filenames=tuple(f'image{i}' for i in range(19)),
        labels=labels,
        images=rng.integers(256, size=(19, 12, 16, 3), dtype=np.uint8),
        masks=masks,
    )


@pytest.fixture
def crowd(examples):
    """The same images with up to three classes each, in any order; some do not show what they list."""
    rng = np.random.default_rng(8)
    labels = np.full((19, 3), NO_CLASS)
    for row in labels:
        count = rng.integers(1, 4)
        row[:count] = rng.permutation(4)[:count]
    masks = np.where(examples.masks > 0, rng.integers(1, 4, examples.masks.shape), 0)
    masks *= masks <= (labels != NO_CLASS).sum(1)[:, None, None]
    masks[:6][masks[:6] == 1] = 0  # outliers of their first class
    return Examples.in_memory(
        'crowd', examples.classes, examples.filenames, labels, examples.images, masks.astype(np.uint8)
    )


@pytest.fixture(params=['examples', 'crowd'])
def any_examples(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def probabilities(examples):
    """Probability maps that are right, from 0.5 on, at nine pixels of ten; three are empty at that."""
    rng = np.random.default_rng(6)
    right = rng.random(examples.masks.shape) >= 0.1
    marked = (examples.masks > 0) == right
    maps = (marked + rng.random(marked.shape)) / 2
    maps[[1, 4, 10]] /= 4
    return maps.astype(np.float32)


@pytest.fixture
def masks(probabilities):
    """The probability maps from 0.5 on."""
    return probabilities >= 0.5


@pytest.fixture
def decisions(examples):
    """Symmetric probabilities in tenths, so that many are tied and some lie on the threshold."""
    rng = np.random.default_rng(7)
    same = examples.labels == examples.labels[:, 0]
    tenths = np.clip(rng.integers(8, size=same.shape) + 3 * same, 0, 10)
    upper = np.triu(tenths, 1)
    return ((upper + upper.T) / 10).astype(np.float32)
