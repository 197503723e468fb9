"""What report pages are made of in tests, and a script that says what such a page shows."""

import shutil

import numpy as np
import pytest
from PIL import Image

from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.inference.groups.grouping import group

CHROMIUM = shutil.which('chromium')
in_browser = pytest.mark.skipif(CHROMIUM is None, reason='needs Chromium on the PATH')

ODD_NAMES = (
    '<script>window.broken = 1</script>.jpg',
    '"><img src=x onerror="window.broken = 1">.jpg',
    "it's & {name} </script>.jpg",
    '🐈 cat.jpg',
)


def symmetric(upper):
    probabilities = np.triu(upper, 1)
    return (probabilities + probabilities.T + np.eye(len(upper))).astype(np.float32)


def found(probabilities, names=None, size=(12, 9)):
    """What was found in photos of one color each, with the object on their left half."""
    n = len(probabilities)
    soft = np.zeros(size[::-1], np.float32)
    soft[:, : size[0] // 2] = 1
    groups, outliers = group(probabilities, 0.5)
    return CoSegmentation(
        names=names or tuple(f'{i}.jpg' for i in range(n)),
        masks=[soft.astype(bool) & (i not in outliers) for i in range(n)],
        soft_masks=[soft] * n,
        probabilities=probabilities,
        groups=groups,
        outliers=outliers,
        embeddings=np.zeros((n, 64), np.float32),
        photos=[Image.new('RGB', size, (40 * (i % 6), 90, 200)) for i in range(n)],
    )


FOUR = symmetric(np.array([[1, 0.9, 0.2, 0.1], [0, 1, 0.3, 0.1], [0, 0, 1, 0.6], [0, 0, 0, 1]]))

SHOWN = """
    const members = (list) => [...list.querySelectorAll('.name')].map((name) => name.textContent);
    const shown = () => ({
      groups: [...document.querySelectorAll('#groups .tiles')].map(members),
      outliers: members(document.getElementById('outliers')),
      status: document.querySelector('[role=status]').textContent,
      threshold: document.getElementById('threshold-text').textContent,
      nulls: [...document.querySelectorAll('.null')].filter((some) => some.checkVisibility()).length,
    });
"""
