"""A chart of the embedding space (fs), colored by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from cosegnet_jax.data.examples import NO_CLASS
from cosegnet_jax.reports.figures.charts import COLORS, GRAY, WIDTH, tidy

MARKERS = 'os^DvP'  # six shapes and seven colors turn together: 42 classes before a pair returns
A_COLUMN = 21  # names of classes in the legend


def embedding_chart(
    embedding: Float[np.ndarray, 'n 64'],
    labels: Int[np.ndarray, 'n objects'],
    classes: Sequence[str],
) -> Figure:
    """Draw images at their embeddings, projected on the plane of the largest variance.

    Args:
        embedding: of at least two images.
        labels: their classes, numbers into `classes`, then NO_CLASS. The first of an image gives its color
            and shape; an image without one is gray.
        classes: names.
    """
    points, shares = project(embedding)
    first = labels[:, 0]
    figure = Figure(figsize=(WIDTH, 6), layout='constrained')
    axes = figure.add_subplot()
    size = float(np.clip(20_000 / len(points), 6, 30))  # square points: a large set stays a cloud, not a blot
    for c in np.unique(first):  # NO_CLASS is lowest, hence behind
        if c == NO_CLASS:
            look = {'color': GRAY, 'marker': '.', 'label': 'no class'}
        else:
            look = {
                'color': COLORS[c % len(COLORS)],
                'marker': MARKERS[c % len(MARKERS)],
                'label': classes[c],
            }
        axes.scatter(*points[first == c].T, s=size, alpha=0.75, linewidths=0, **look)
    tidy(axes, f'first component, {100 * shares[0]:.0f} % of the variance')
    axes.set_ylabel(f'second component, {100 * shares[1]:.0f} % of the variance', fontsize=9)
    axes.set_aspect('equal', adjustable='datalim')  # distances on the page are those of the plane
    columns = -(-len(np.unique(first)) // A_COLUMN)
    figure.legend(loc='outside right center', ncols=columns, frameon=False, fontsize=9, markerscale=1.4)
    return figure


def project(
    embedding: Float[np.ndarray, 'n features'],
) -> tuple[Float[np.ndarray, 'n 2'], Float[np.ndarray, ' 2']]:
    """Project points on their two first principal components.

    Args:
        embedding: at least two points.

    Returns:
        The points in that plane around their mean, and the share of the variance along each of its axes:
        zeros where all points are one.
    """
    centered = embedding - embedding.mean(axis=0)
    _, lengths, axes = np.linalg.svd(centered, full_matrices=False)
    variance = lengths**2
    return centered @ axes[:2].T, variance[:2] / max(variance.sum(), np.finfo(variance.dtype).tiny)
