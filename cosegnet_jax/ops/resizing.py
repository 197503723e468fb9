"""Enlargement and reduction of maps by whole factors."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float


def enlarge_bilinearly(x: Float[Array, 'n h w'], factor: int) -> Float[Array, 'n height width']:
    """Bilinear enlargement; a pixel stands for its middle, and the border goes on outside of the map.

    As two matrix products, which every device is good at.
    """
    rows, columns = (jnp.asarray(_weights(side, factor), x.dtype) for side in x.shape[1:])
    precise = lax.Precision.HIGHEST
    wide = jnp.einsum('nhw,Ww->nhW', x, columns, precision=precise)
    return jnp.einsum('nhW,Hh->nHW', wide, rows, precision=precise)


def enlarge(x: Float[Array, 'n h w c'], factor: int) -> Float[Array, 'n height width c']:
    """Nearest-neighbor enlargement."""
    n, h, w, c = x.shape
    copies = jnp.broadcast_to(x[:, :, None, :, None], (n, h, factor, w, factor, c))
    return copies.reshape(n, h * factor, w * factor, c)


def average_pool(x: Float[Array, 'n h w'], factor: int) -> Float[Array, 'n h2 w2']:
    """Averages of squares of `factor` pixels a side."""
    n, h, w = x.shape
    return x.reshape(n, h // factor, factor, w // factor, factor).mean((2, 4))


def _weights(side: int, factor: int) -> Float[np.ndarray, 'larger side']:
    """What each pixel of the larger side takes of the pixels of the smaller one."""
    place = np.clip((np.arange(side * factor) + 0.5) / factor - 0.5, 0, side - 1)
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(side)))
