"""Small photos, each different, of a bright disc that is off the middle."""

import numpy as np
from PIL import Image


def disc(seed=0, size=(60, 40)):
    """`size` is width and height."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    inside = (x - size[0] * 0.3) ** 2 + (y - size[1] * 0.6) ** 2 < (min(size) / 4) ** 2
    pixels = rng.integers(0, 90, (size[1], size[0], 3), np.uint8)
    pixels[inside] = rng.integers(150, 250, 3)
    return Image.fromarray(pixels)


def save(folder, *names):
    """One photo for each name, which may hold folders."""
    for seed, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        disc(seed).save(path)
    return folder
