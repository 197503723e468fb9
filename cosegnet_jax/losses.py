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
    decision: Float[Array, '']  # L3 over positive and negative pairs alike


def mask_loss(
    logits: Float[Array, 'n 2 h w'],
    masks: UInt8[Array, 'n 2 h w'],
    share: Bool[Array, ' n'],
    reduction: str,
) -> Float[Array, ' n']:
    """L1, equation 2: binary cross-entropy of both masks of each pair, zero for pairs that share nothing.

    The gradient of a pair that shares nothing stops at its logits, so what follows the tap learns from
    positive pairs only (§3.5).

    Args:
        logits: Ungated mask logits of each pair's two images.
        masks: Their ground truth, 0 or 1.
        share: Whether the pair shares an object.
        reduction: Over the pixels of an image: 'mean', or the 'sum' that equation 2 prints. Over the two
            images it is a mean.
    """
    learns = share[:, None, None, None]
    logits = jnp.where(learns, logits, jax.lax.stop_gradient(logits))
    entropy = optax.sigmoid_binary_cross_entropy(logits, masks.astype(jnp.float32))
    per_image = entropy.sum((2, 3)) if reduction == 'sum' else entropy.mean((2, 3))
    return jnp.where(share, per_image.mean(1), 0.0)


def distance(u: Float[Array, '*n d'], v: Float[Array, '*n d'], kind: str) -> Float[Array, '*n']:
    """Distance of embeddings: 'euclidean', or its square as FaceNet has it ('squared')."""
    squared = jnp.sum(jnp.square(u - v), axis=-1)
    return squared if kind == 'squared' else jnp.sqrt(squared + EPSILON)


def triplet_loss(
    anchor: Float[Array, 'n d'],
    positive: Float[Array, 'n d'],
    negative: Float[Array, 'n d'],
    margin: float,
    kind: str,
) -> Float[Array, ' n']:
    """L2, equation 3: max(0, |a - p| - |a - n| + margin)."""
    return jax.nn.relu(distance(anchor, positive, kind) - distance(anchor, negative, kind) + margin)


def decision_loss(logits: Float[Array, ' n'], share: Bool[Array, ' n']) -> Float[Array, ' n']:
    """L3, equation 4 with its sign: binary cross-entropy of each pair's decision."""
    return optax.sigmoid_binary_cross_entropy(logits, share.astype(jnp.float32))


def combine(
    mask: Float[Array, ' n'],
    triplet: Float[Array, ' n'],
    decision_positive: Float[Array, ' n'],
    decision_negative: Float[Array, ' n'],
    share: Bool[Array, ' n'],
    config: Loss,
) -> Losses:
    """Equation 1 with the weights of §4.1 (fidelity row 14), averaged over the batch.

    L2 belongs to a triplet, that is to a positive and a negative pair, so it counts 0.33 + 0.5 times. A
    triplet whose first pair shares nothing after all (`share` false: an object cropped away) has no L1 and
    no L2, and both of its pairs are negative pairs.
    """
    triplet = jnp.where(share, triplet, 0.0)
    positive = (
        config.w1_positive * mask + config.w2_positive * triplet + config.w3_positive * decision_positive
    )
    first = jnp.where(share, positive, config.w3_negative * decision_positive)
    second = config.w2_negative * triplet + config.w3_negative * decision_negative
    shared = jnp.maximum(share.sum(), 1)
    return Losses(
        total=(first + second).mean(),
        mask=mask.sum() / shared,
        triplet=triplet.sum() / shared,
        decision=(decision_positive + decision_negative).mean() / 2,
    )
