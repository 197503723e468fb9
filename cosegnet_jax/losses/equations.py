"""The paper's losses (§3.4), each with the sign, the terms and the means that make it a loss.

Per triplet of anchor, positive and negative there are a positive pair (anchor, positive) and a negative
pair (anchor, negative). Fidelity rows 8 to 15 say how the equations are read.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, UInt8

from cosegnet_jax.config import Loss

EPSILON = 1e-12  # keeps the gradient of a Euclidean distance finite where it is zero


class Losses(NamedTuple):
    """Mean losses of a batch and their weighted sum, equation 1."""

    total: Float[Array, '']
    mask: Float[Array, '']  # L1 over positive pairs
    triplet: Float[Array, '']  # L2 over triplets
    active: Float[Array, '']  # share of triplets that violate the margin, so that L2 is not zero
    decision: Float[Array, '']  # L3 over positive and negative pairs alike


class MaskLosses(NamedTuple):
    """L1 of each image, in two parts: the partner decides which objects of the image are shared."""

    of_all: Float[Array, ' n']  # where all objects are shared
    without: Float[Array, 'n objects']  # to be added for each object that is not shared


def mask_losses(
    logits: Float[Array, 'n h w'],
    masks: UInt8[Array, 'n h w'],
    objects: int,
    learns: Bool[Array, ' n'],
    reduction: str,
) -> MaskLosses:
    """Compute L1, equation 2: binary cross-entropy of each image's mask.

    Where an image is in no positive pair, its gradient stops at the logits. So the layers after the tap learn
    from positive pairs only (§3.5).

    Args:
        logits: Ungated mask logits.
        masks: Ground truth: 0 background, k the image's object number k.
        objects: Greatest k.
        learns: Which images are in a positive pair.
        reduction: Over the pixels of an image: 'mean', or the 'sum' that equation 2 prints.
    """
    logits = jnp.where(learns[:, None, None], logits, jax.lax.stop_gradient(logits))
    reduce = jnp.sum if reduction == 'sum' else jnp.mean
    entropy = optax.sigmoid_binary_cross_entropy(logits, (masks > 0).astype(jnp.float32))
    # The cross-entropy of a pixel is softplus(logit) - logit · truth: a truth of 0 in place of 1 adds the
    # logit.
    without = [reduce(jnp.where(masks == k, logits, 0.0), (1, 2)) for k in range(1, objects + 1)]
    return MaskLosses(reduce(entropy, (1, 2)), jnp.stack(without, 1))


def distance(u: Float[Array, '*#n d'], v: Float[Array, '*#n d'], kind: str) -> Float[Array, '...']:
    """Compute the Euclidean distance of embeddings, or its square as FaceNet does (`kind` 'squared')."""
    squared = jnp.sum(jnp.square(u - v), axis=-1)
    return squared if kind == 'squared' else jnp.sqrt(squared + EPSILON)


def triplet_loss(
    anchor: Float[Array, 'n d'], positive: Float[Array, 'n d'], negative: Float[Array, 'n d'], config: Loss
) -> Float[Array, ' n']:
    """Compute L2, equation 3: max(0, |a - p| - |a - n| + margin)."""
    near = distance(anchor, positive, config.triplet_distance)
    far = distance(anchor, negative, config.triplet_distance)
    return jax.nn.relu(near - far + config.margin)


def decision_loss(logits: Float[Array, '*n'], share: Bool[Array, '*n']) -> Float[Array, '*n']:
    """Compute L3, equation 4 with its sign: binary cross-entropy of each pair's decision."""
    return optax.sigmoid_binary_cross_entropy(logits, share.astype(jnp.float32))


class TripletLosses(NamedTuple):
    """The losses of each triplet."""

    mask: Float[Array, ' n']  # L1 of the positive pair
    triplet: Float[Array, ' n']  # L2
    decision_positive: Float[Array, ' n']  # L3 of the anchor's two pairs
    decision_negative: Float[Array, ' n']


def combine(
    each: TripletLosses,
    share: Bool[Array, ' n'],
    has_negative: Bool[Array, ' n'],
    valid: Bool[Array, ' n'],
    config: Loss,
) -> Losses:
    """Combine losses by equation 1 with the weights of §4.1 (fidelity row 14), over the `valid` triplets.

    The paper prints sums over the samples of a batch, and in equation 2 over the images of a pair.
    `config.batch_reduction` 'sum' computes them. 'mean' computes means: L1 is smaller by twice the number of
    triplets, L2 and L3 by that number (fidelity row 10). The other losses that this returns are always means,
    so that runs can be compared.

    L2 belongs to a triplet, which has a positive and a negative pair, so it counts 0.33 + 0.5 times. Where
    the first pair shares nothing after all (`share` is false: an object was cropped away), a triplet has no
    L1 and no L2, and both pairs are negative. Without a negative (`has_negative` is false) it has L1 and the
    L3 of its first pair only.
    """
    mask = jnp.where(share, each.mask, 0.0)
    triplet = jnp.where(share & has_negative, each.triplet, 0.0)
    first, second = each.decision_positive, jnp.where(has_negative, each.decision_negative, 0.0)
    batch_sum = config.batch_reduction == 'sum'
    of_pair = 2 * mask if batch_sum else mask  # `each.mask` is the mean of two images
    positive = config.w1_positive * of_pair + config.w2_positive * triplet + config.w3_positive * first
    total = jnp.where(share, positive, config.w3_negative * first)
    total += config.w2_negative * triplet + config.w3_negative * second

    return Losses(
        total=jnp.sum(jnp.where(valid, total, 0.0)) if batch_sum else mean_where(total, valid),
        mask=mean_where(mask, valid & share),
        triplet=mean_where(triplet, valid & share & has_negative),
        active=mean_where((triplet > 0).astype(jnp.float32), valid & share & has_negative),
        decision=mean_where(jnp.stack([first, second]), jnp.stack([valid, valid & has_negative])),
    )


def mean_where(values: Float[Array, '*n'], where: Bool[Array, '*n']) -> Float[Array, '']:
    """Average the values that `where` marks; 0 where it marks none."""
    return jnp.sum(jnp.where(where, values, 0.0)) / jnp.maximum(where.sum(), 1)
