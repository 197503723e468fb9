"""Mining: which images of a batch form triplets (anchor, positive, negative), decided on the devices.

Anchor and positive share an object: they are the pair of a triplet that the sampler drew, or any pair of a
class-balanced batch. The negative was drawn with them, or is mined in the batch: at random, or semi-hard by
the current embeddings (Schroff et al., FaceNet, 2015, §3.2).
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
    """Tell at [i, j, k - 1] whether image j shows object number k of image i.

    The mask says what an image shows, not the class it is filed under: an object may have been cropped away,
    and an outlier never had one.
    """
    objects = labels.shape[1]
    seen = jnp.stack([(masks == k).any((1, 2)) for k in range(1, objects + 1)], 1)
    return common_classes(jnp.where(seen, labels, NO_CLASS))


def common_classes(visible: Int32[Array, 'n objects']) -> Bool[Array, 'n n objects']:
    """Compute `common_objects` from the classes that images show, NO_CLASS where there is none."""
    same = visible[:, None, :, None] == meshes.replicate(visible)[None, :, None, :]
    return (same & (visible != NO_CLASS)[:, None, :, None]).any(3)


def find(
    features: Float[Array, 'n c'],
    share: Bool[Array, 'n n'],
    numbers: Int32[Array, ' n'],
    key: Key[Array, ''],
    config: Config,
) -> Triplets:
    """Find the triplets that `config.data.sampler` and `config.loss.negatives` ask for.

    Args:
        features: Points whose distances count; the choice passes no gradient to them.
        share: Which images share an object.
        numbers: Numbers of the images in the data set: an image that was drawn twice is no pair with itself.
        key: Draws random negatives.
        config: The experiment.
    """
    same = numbers[:, None] == meshes.replicate(numbers)
    drawn_triplets = config.data.sampler == 'triplets'
    triplets = drawn(len(numbers) // 3) if drawn_triplets else all_pairs(share & ~same)
    if drawn_triplets and config.loss.negatives == 'random':
        return triplets

    def of_anchors(rows: Shaped[Array, 'n *rest']) -> Shaped[Array, 'a *rest']:
        # Indexing by number would make devices exchange the whole table.
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
    """List the triplets that the sampler drew: each three images in a row."""
    anchor, positive, negative = jnp.arange(3 * groups).reshape(groups, 3).T
    yes = jnp.ones(groups, bool)
    return Triplets(anchor, positive, negative, valid=yes, has_negative=yes)


def all_pairs(pairs: Bool[Array, 'n n']) -> Triplets:
    """List every ordered pair that is marked, still without negatives."""
    anchor, positive = (x.reshape(-1) for x in jnp.indices(pairs.shape))
    none = jnp.zeros(pairs.size, bool)
    return Triplets(anchor, positive, anchor, valid=pairs.reshape(-1), has_negative=none)


def semi_hard(
    near: Float[Array, 'a p'], distances: Float[Array, 'a n'], candidates: Bool[Array, 'a n']
) -> Int[Array, 'a p']:
    """Choose for each pair the nearest negative that is farther from the anchor than the positive.

    Where none is farther, choose the farthest. Beyond the margin its loss is zero. The nearest negative of
    all would collapse the embeddings at the start (FaceNet, §3.2).

    Args:
        near: Distance of each anchor to each of its positives.
        distances: Distance of each anchor to every image.
        candidates: Which images share nothing with the anchor.
    """
    farther = candidates[:, None] & (distances[:, None] > near[:, :, None])
    nearest = jnp.argmin(jnp.where(farther, distances[:, None], jnp.inf), 2)
    farthest = jnp.argmax(jnp.where(candidates, distances, -jnp.inf), 1)
    return jnp.where(farther.any(2), nearest, farthest[:, None])


def random(key: Key[Array, ''], candidates: Bool[Array, 'a n'], positives: int) -> Int[Array, 'a p']:
    """Choose for each of an anchor's `positives` one of its candidates, all with the same chance."""
    anchors, images = candidates.shape
    lots = jax.random.uniform(key, (anchors, positives, images))
    return jnp.argmax(jnp.where(candidates[:, None], lots, -1.0), 2)
