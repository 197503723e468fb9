"""Calibration of decisions and masks on the validation part.

A network that learns from few photos is overconfident on others, and masks that are trained for overlap are a
little large. Three numbers correct this. They go into the weights of the last layers
(`networks.pyramid.calibrate`), so that every form of the network has them and one half is the threshold.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float
from scipy import optimize
from scipy.special import logit

from cosegnet_jax.config import Config
from cosegnet_jax.data.batches import visible_classes
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.losses import mining
from cosegnet_jax.networks import pyramid
from cosegnet_jax.networks.image_network import ImageNetwork

THRESHOLDS = np.arange(0.2, 0.71, 0.02)
_STIFFNESS = 1e-3  # keeps the line where few pairs say little


class Calibration(NamedTuple):
    """How `networks.pyramid.calibrate` changes the logits of decisions and masks."""

    factor: float  # of the logit of a decision
    shift: float  # added to it
    mask_shift: float  # added to the logit of a pixel


def calibrated(network: ImageNetwork, calibration: Calibration) -> ImageNetwork:
    """Calibrate a network."""
    return dataclasses.replace(network, params=pyramid.calibrate(network.params, *calibration))


def fit_calibration(config: Config, network: ImageNetwork, examples: Examples) -> Calibration:
    """Fit the shift of masks by mean Jaccard index, and the line of decisions by likelihood.

    All positive pairs together weigh as much as all negative ones: nobody knows how often two photos of a
    user share an object.

    Args:
        config: Says how many images a batch has.
        network: A `PyramidCoSegNet`.
        examples: The validation part.
    """
    size = config.evaluation.batch_images
    masks, *_ = network.describe_all(examples.photos(size), size)
    overlaps = jaccard_at(masks, np.asarray(examples.masks) > 0)
    mask_shift = best_shift(overlaps.mean(0))
    shifted = calibrated(network, Calibration(1.0, 0.0, mask_shift))
    points = shifted.describe_all(examples.photos(size), size).embeddings

    classes = visible_classes(examples.labels, examples.visible)
    share = np.asarray(mining.common_classes(jnp.asarray(classes)).any(2))
    upper = np.triu_indices(len(points), 1)
    probability = np.clip(network.decide(points, points, symmetric=False)[upper], 1e-6, 1 - 1e-6)
    return Calibration(*fit_line(logit(probability), share[upper]), mask_shift)


def fit_line(logits: Float[np.ndarray, ' n'], share: Bool[np.ndarray, ' n']) -> tuple[float, float]:
    """Fit factor and shift of logits that make the decisions most likely (Platt, 1999).

    Args:
        logits: Of pairs.
        share: Which of them share an object; these count as much as the others.
    """
    of_pair = np.where(share, 0.5 / max(share.sum(), 1), 0.5 / max((~share).sum(), 1))
    sign = np.where(share, -1.0, 1.0)

    def loss(line: Float[np.ndarray, ' 2']) -> float:
        surprise = np.logaddexp(0, sign * (line[0] * logits + line[1]))
        return float(of_pair @ surprise + _STIFFNESS * np.sum((line - unchanged) ** 2))

    unchanged = np.array([1.0, 0.0])
    factor, shift = optimize.minimize(loss, unchanged, method='Nelder-Mead').x
    return float(factor), float(shift)


def jaccard_at(
    masks: Float[np.ndarray, 'n h w'], truth: Bool[np.ndarray, 'n h w']
) -> Float[np.ndarray, 'n thresholds']:
    """Compute the Jaccard index of each image at each threshold; one where both masks are empty."""
    found = []
    for threshold in THRESHOLDS:
        cut = masks >= threshold
        both, either = (cut & truth).sum((1, 2)), (cut | truth).sum((1, 2))
        found.append(np.where(either, both / np.maximum(either, 1), 1.0))
    return np.stack(found, 1)


def best_shift(overlaps: Float[np.ndarray, ' thresholds']) -> float:
    """Find the shift of logits that makes one half of the threshold with the largest Jaccard index."""
    return float(-logit(THRESHOLDS)[overlaps.argmax()])
