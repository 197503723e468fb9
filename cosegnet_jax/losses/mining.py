"""Which images of a batch meet as (anchor, positive, negative), decided on the devices.

A triplet begins with a pair that shares an object: the pair of a triplet that was drawn, or each pair of a
class-balanced batch. Its negative is the one drawn with it, or one found in the batch: at random, or
semi-hard from the current embeddings (Schroff et al., FaceNet, 2015, §3.2).
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Int32, Key, Shaped, UInt8

from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import NO_CLASS
from cosegnet_jax.losses import equations
from cosegnet_jax.runtime import mesh as meshes


class Triplets(NamedTuple):
    """Images of the batch, by number."""

    anchor: Int[Array, ' t']
    positive: Int[Array, ' t']
    negative: Int[Array, ' t']
    valid: Bool[Array, ' t']  # false: no triplet, only a row that keeps the shape
    has_negative: Bool[Array, ' t']  # false: the batch holds no negative of this anchor


def common_objects(
    masks: UInt8[Array, 'n h w'], labels: Int32[Array, 'n objects']
) -> Bool[Array, 'n n objects']:
    """Whether image j shows the object number k of image i, at [i, j, k - 1].

    What an image shows follows from its mask as it is now, whatever it is filed under: an object may have
    been cropped away, and an outlier never had one.
    """
    objects = labels.shape[1]
    seen = jnp.stack([(masks == k).any((1, 2)) for k in range(1, objects + 1)], 1)
    return common_classes(jnp.where(seen, labels, NO_CLASS))


def common_classes(visible: Int32[Array, 'n objects']) -> Bool[Array, 'n n objects']:
    """`common_objects` of images that show these classes, NO_CLASS where one shows none."""
    same = visible[:, None, :, None] == meshes.replicate(visible)[None, :, None, :]
    return (same & (visible != NO_CLASS)[:, None, :, None]).any(3)


def find(
    features: Float[Array, 'n c'],
    share: Bool[Array, 'n n'],
    numbers: Int32[Array, ' n'],
    key: Key[Array, ''],
    config: Config,
) -> Triplets:
    """The triplets that `config.data.sampler` and `config.loss.negatives` ask for.

    Args:
        features: What distances are measured between; they get no gradient from the choice.
        share: Which images share an object.
        numbers: Which image of the set each is: one that was drawn twice is no pair with itself.
        key: Draws random negatives.
        config: The experiment.
    """
    same = numbers[:, None] == meshes.replicate(numbers)
    drawn_triplets = config.data.sampler == 'triplets'
    triplets = drawn(len(numbers) // 3) if drawn_triplets else all_pairs(share & ~same)
    if drawn_triplets and config.loss.negatives == 'random':
        return triplets

    def of_anchors(rows: Shaped[Array, 'n *rest']) -> Shaped[Array, 'a *rest']:
        # By number, devices that have few of the rows each would have to exchange the whole table.
        return rows.reshape(-1, 3, *rows.shape[1:])[:, 0] if drawn_triplets else rows

    candidates = of_anchors(~share & ~same)
    positive = triplets.positive.reshape(len(candidates), -1)
    if config.loss.negatives == 'semi_hard':
        points = jax.lax.stop_gradient(features)
        anchors, others = of_anchors(points)[:, None], meshes.replicate(points)
        distances = equations.distance(anchors, others, config.loss.triplet_distance)
        negative = semi_hard(jnp.take_along_axis(distances, positive, 1), distances, candidates)
    else:
        negative = random(key, candidates, positive.shape[1])
    has_negative = jnp.broadcast_to(candidates.any(1)[:, None], negative.shape)
    return triplets._replace(negative=negative.reshape(-1), has_negative=has_negative.reshape(-1))


def drawn(groups: int) -> Triplets:
    """The triplets that the sampler has drawn: three images after another."""
    anchor, positive, negative = jnp.arange(3 * groups).reshape(groups, 3).T
    yes = jnp.ones(groups, bool)
    return Triplets(anchor, positive, negative, valid=yes, has_negative=yes)


def all_pairs(pairs: Bool[Array, 'n n']) -> Triplets:
    """Every ordered pair that is marked, still without negatives."""
    anchor, positive = (x.reshape(-1) for x in jnp.indices(pairs.shape))
    none = jnp.zeros(pairs.size, bool)
    return Triplets(anchor, positive, anchor, valid=pairs.reshape(-1), has_negative=none)


def semi_hard(
    near: Float[Array, 'a p'], distances: Float[Array, 'a n'], candidates: Bool[Array, 'a n']
) -> Int[Array, 'a p']:
    """For each pair the hardest negative that is no harder than the positive.

    That is the nearest of those farther from the anchor than the positive is; where none is farther, the
    farthest of all. Where it lies beyond the margin its loss is zero. The nearest negative of all would, at
    the start, collapse the embeddings (§3.2).

    Args:
        near: From each anchor to each of its positives.
        distances: From each anchor to every image.
        candidates: Which images share nothing with it.
    """
    farther = candidates[:, None] & (distances[:, None] > near[:, :, None])
    nearest = jnp.argmin(jnp.where(farther, distances[:, None], jnp.inf), 2)
    farthest = jnp.argmax(jnp.where(candidates, distances, -jnp.inf), 1)
    return jnp.where(farther.any(2), nearest, farthest[:, None])


def random(key: Key[Array, ''], candidates: Bool[Array, 'a n'], positives: int) -> Int[Array, 'a p']:
    """For each of an anchor's `positives` any of its candidates with the same chance."""
    anchors, images = candidates.shape
    lots = jax.random.uniform(key, (anchors, positives, images))
    return jnp.argmax(jnp.where(candidates[:, None], lots, -1.0), 2)
