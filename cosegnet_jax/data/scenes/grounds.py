"""What is behind the object of a drawn picture: sky, grass, road and water, made of noise."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from PIL import Image

Ground = Float[np.ndarray, 'height width 3']  # 0-255
_CLOUD = 245  # gray level
_GRASS, _ROAD, _WATER = (88, 120, 50), (105, 104, 102), (60, 95, 125)
_ZENITH, _HORIZON = np.array([70, 120, 190]), np.array([190, 215, 235])


def sky(height: int, width: int, rng: np.random.Generator) -> Ground:
    """A gradient to the horizon, with clouds."""
    down = np.linspace(0, 1, height)[:, None, None]
    air = (_ZENITH + rng.integers(-25, 25, 3)) * (1 - down) + _HORIZON * down
    cover = 0.75 * np.clip(0.9 * _noise(height, width, 5, 0.55, rng) - 0.1, 0, 1)[..., None]
    return air * (1 - cover) + _CLOUD * cover


def grass(height: int, width: int, rng: np.random.Generator) -> Ground:
    """A meadow."""
    return _GRASS + 22 * _noise(height, width, 8, 0.75, rng)[..., None] + _grain(height, width, 9, rng)


def road(height: int, width: int, rng: np.random.Generator) -> Ground:
    """Asphalt."""
    return _ROAD + 7 * _noise(height, width, 7, 0.7, rng)[..., None] + _grain(height, width, 6, rng)


def water(height: int, width: int, rng: np.random.Generator) -> Ground:
    """Waves, which are longer than high and grow toward the viewer."""
    waves = _enlarged(rng.normal(size=(max(height // 3, 1), 14)), height, width)
    waves *= np.linspace(0.3, 1, height, dtype=np.float32)[:, None]
    return _WATER + 26 * waves[..., None] + _grain(height, width, 4, rng)


def _noise(
    height: int, width: int, octaves: int, persistence: float, rng: np.random.Generator
) -> Float32[np.ndarray, 'height width']:
    """Smooth noise of ever finer grain, each octave fainter than the one before."""
    layers = (
        persistence**octave * _enlarged(rng.normal(size=(3 * 2**octave,) * 2), height, width)
        for octave in range(octaves)
    )
    return np.sum(list(layers), 0)


def _enlarged(knots: Float[np.ndarray, 'rows columns'], height: int, width: int) -> np.ndarray:
    image = Image.fromarray(knots.astype(np.float32))
    return np.array(image.resize((width, height), Image.Resampling.BICUBIC))


def _grain(
    height: int, width: int, strength: int, rng: np.random.Generator
) -> Float[np.ndarray, 'height width 1']:
    return rng.normal(0, strength, (height, width, 1))
