"""Edges of a small mask, drawn along the edges of the photo: the fast guided filter.

He, Sun and Tang, Guided Image Filtering, ECCV 2010; He and Sun, Fast Guided Filter, arXiv:1505.00996. In each
window the mask is fitted as a linear function of color, so that it changes where the photo does. The fit is
made on a small photo, and the function is applied to the large one.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from PIL import Image
from scipy.ndimage import uniform_filter

SIDE = 256  # pixels of the longer side on which windows are fitted
RADIUS = 8  # pixels of a window to each side of its center
EPSILON = 1e-4  # keeps windows of one color from being fitted to noise; squared intensity, of 0 to 1


def refine(mask: Float32[np.ndarray, 'h w'], photo: Image.Image) -> Float32[np.ndarray, 'height width']:
    """The mask at the size of the photo, with the edges of the photo.

    Args:
        mask: Probability of object, 0 to 1, at any size.
        photo: RGB.

    Returns:
        Probability of object, 0 to 1.
    """
    scale = min(1.0, SIDE / max(photo.size))
    width, height = (max(1, round(side * scale)) for side in photo.size)
    guide = np.asarray(photo.resize((width, height), Image.Resampling.BOX), np.float32) / 255
    target = np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.BILINEAR))
    slopes, offsets = _fit(guide, target)
    refined = _enlarged(offsets, photo.size)
    for channel, band in enumerate(photo.split()):
        refined += _enlarged(slopes[..., channel], photo.size) * (np.asarray(band, np.float32) / 255)
    return np.clip(refined, 0, 1, out=refined)


def _fit(
    guide: Float32[np.ndarray, 'h w 3'], target: Float32[np.ndarray, 'h w']
) -> tuple[Float32[np.ndarray, 'h w 3'], Float32[np.ndarray, 'h w']]:
    """Slope and offset at each pixel, averaged over the windows that hold it (ECCV 2010, eq. 19-21)."""
    mean_guide, mean_target = _mean(guide), _mean(target)
    covariance = _mean(guide * target[..., None]) - mean_guide * mean_target[..., None]
    products = _mean(guide[..., :, None] * guide[..., None, :])
    spread = (
        products - mean_guide[..., :, None] * mean_guide[..., None, :] + EPSILON * np.eye(3, dtype=np.float32)
    )
    slopes = np.linalg.solve(spread, covariance[..., None])[..., 0]
    offsets = mean_target - (slopes * mean_guide).sum(-1)
    return _mean(slopes), _mean(offsets)


def _mean(values: Float32[np.ndarray, 'h w *rest']) -> Float32[np.ndarray, 'h w *rest']:
    """Over a window around each pixel."""
    return uniform_filter(values, 2 * RADIUS + 1, mode='nearest', axes=(0, 1))


def _enlarged(
    values: Float32[np.ndarray, 'h w'], size: tuple[int, int]
) -> Float32[np.ndarray, 'height width']:
    return np.array(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR))
