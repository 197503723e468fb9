"""Which images of a batch meet as (anchor, positive, negative), decided on the devices.

A triplet begins with a pair that shares an object: the pair of a triplet that was drawn, or each pair of a
class-balanced batch. Its negative is the one drawn with it, or one found in the batch: at random, or
semi-hard from the current embeddings (Schroff et al., FaceNet, 2015, §3.2).
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Int32, Key, UInt8

from cosegnet_jax import losses
from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import NO_CLASS


class Triplets(NamedTuple):
    """Images of the batch, by number."""

    anchor: Int[Array, ' t']
    positive: Int[Array, ' t']
    negative: Int[Array, ' t']
    counts: Bool[Array, ' t']  # false: no triplet, only a place that keeps the shape
    opposed: Bool[Array, ' t']  # false: the batch holds no negative of this anchor


def common_objects(
    masks: UInt8[Array, 'n h w'], labels: Int32[Array, 'n objects']
) -> Bool[Array, 'n n objects']:
    """Whether image j shows the object number k of image i, at [i, j, k - 1].

    What an image shows follows from its mask as it is now, whatever it is filed under: an object may have
    been cropped away, and an outlier never had one.
    """
    objects = labels.shape[1]
    seen = jnp.stack([(masks == k).any((1, 2)) for k in range(1, objects + 1)], 1)
    shown = jnp.where(seen, labels, NO_CLASS)
    same = shown[:, None, :, None] == shown[None, :, None, :]
    return (same & (shown != NO_CLASS)[:, None, :, None]).any(3)


def find(
    features: Float[Array, 'n c'],
    share: Bool[Array, 'n n'],
    groups: int,
    key: Key[Array, ''],
    config: Config,
) -> Triplets:
    """The triplets that `config.data.sampler` and `config.loss.negatives` ask for.

    Args:
        features: What distances are measured between; they get no gradient from the choice.
        share: Which images share an object.
        groups: Of the batch.
        key: Draws random negatives.
        config: The experiment.
    """
    triplets = drawn(groups) if config.data.sampler == 'triplets' else all_pairs(share)
    if config.loss.negatives == 'semi_hard':
        points = jax.lax.stop_gradient(features)
        distances = losses.distance(points[:, None], points, config.loss.triplet_distance)
        return with_negatives(triplets, share, semi_hard(distances, share))
    if config.data.sampler == 'balanced':
        return with_negatives(triplets, share, random(key, share))
    return triplets


def drawn(groups: int) -> Triplets:
    """The triplets that the sampler has drawn: three images after another."""
    anchor, positive, negative = jnp.arange(3 * groups).reshape(groups, 3).T
    yes = jnp.ones(groups, bool)
    return Triplets(anchor, positive, negative, counts=yes, opposed=yes)


def all_pairs(share: Bool[Array, 'n n']) -> Triplets:
    """Every ordered pair that shares an object, still without negatives."""
    anchor, positive = (x.reshape(-1) for x in jnp.indices(share.shape))
    counts = share & ~jnp.eye(len(share), dtype=bool)
    none = jnp.zeros(share.size, bool)
    return Triplets(anchor, positive, anchor, counts.reshape(-1), opposed=none)


def with_negatives(triplets: Triplets, share: Bool[Array, 'n n'], negatives: Int[Array, 'n n']) -> Triplets:
    """The same pairs with the negative that was found for each at [anchor, positive]."""
    return triplets._replace(
        negative=negatives[triplets.anchor, triplets.positive],
        opposed=_candidates(share).any(1)[triplets.anchor],
    )


def semi_hard(distances: Float[Array, 'n n'], share: Bool[Array, 'n n']) -> Int[Array, 'n n']:
    """The hardest negative that is no harder than the positive, for [anchor, positive].

    That is the nearest of those farther from the anchor than the positive is; where none is farther, the
    farthest of all. Where it lies beyond the margin its loss is zero. The nearest negative of all would, at
    the start, collapse the embeddings (§3.2).
    """
    candidate = _candidates(share)[:, None, :]
    of_negative = distances[:, None, :]
    farther = candidate & (of_negative > distances[:, :, None])
    nearest = jnp.argmin(jnp.where(farther, of_negative, jnp.inf), -1)
    farthest = jnp.argmax(jnp.where(candidate, of_negative, -jnp.inf), -1)
    return jnp.where(farther.any(-1), nearest, farthest)


def random(key: Key[Array, ''], share: Bool[Array, 'n n']) -> Int[Array, 'n n']:
    """Any negative with the same chance, for [anchor, positive]."""
    n = len(share)
    return jnp.argmax(jnp.where(_candidates(share)[:, None, :], jax.random.uniform(key, (n, n, n)), -1.0), -1)


def _candidates(share: Bool[Array, 'n n']) -> Bool[Array, 'n n']:
    """Which images share nothing with an anchor. Itself is none of them, an outlier included."""
    return ~share & ~jnp.eye(len(share), dtype=bool)
