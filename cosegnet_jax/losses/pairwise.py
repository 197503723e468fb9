"""Losses of a network whose masks depend on the pair: the true masks of a negative pair are empty (§4.5)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jaxtyping import Array, Bool, Float, Int, Key, UInt8

from cosegnet_jax.config import Config
from cosegnet_jax.data.batches import Batch
from cosegnet_jax.losses import mining


def batch_losses(
    graph: nnx.GraphDef, params: Any, batch: Batch, key: Key[Array, ''], config: Config
) -> dict[str, Float[Array, '']]:
    """Compute the losses of a batch of triplets by name.

    Each image is described once, and each pair decoded in both orders. Both kinds of pair weigh
    `config.loss.w1_positive`; the other terms of equation 1 have no meaning here.

    Args:
        graph: From `networks.graph`, of a `networks.pairwise.Pairwise`.
        params: Weights.
        batch: Triplets.
        key: Not used; nothing is drawn.
        config: The reading of equation 2.
    """
    del key
    model, groups = nnx.merge(graph, params), len(batch.labels)
    images, masks, labels, _ = (x.reshape(3 * groups, *x.shape[2:]) for x in batch)
    triplets = mining.drawn(groups)
    pairs = [(triplets.anchor, triplets.positive), (triplets.anchor, triplets.negative)]
    first = jnp.concatenate([image for pair in pairs for image in pair])
    second = jnp.concatenate([image for pair in pairs for image in reversed(pair)])
    description = model.describe(images)

    def of(rows: Int[Array, ' p']) -> Any:
        return jax.tree.map(lambda x: x[rows], description)

    logits = model.pair_masks(of(first), of(second))
    truth = shared(masks[first], mining.common_objects(masks, labels)[first, second])
    entropy = optax.sigmoid_binary_cross_entropy(logits, truth.astype(jnp.float32))
    reduce = jnp.sum if config.loss.mask_reduction == 'sum' else jnp.mean
    positive, negative = reduce(entropy, (1, 2)).reshape(2, -1).mean(1)
    images = 2 * groups if config.loss.batch_reduction == 'sum' else 1  # of each kind of pair
    total = config.loss.w1_positive * images * (positive + negative)
    return {'loss': total, 'loss_mask': positive, 'loss_null': negative}


def shared(masks: UInt8[Array, 'n h w'], common: Bool[Array, 'n objects']) -> Bool[Array, 'n h w']:
    """Mark the pixels of the objects that each image shares with its partner."""
    objects = [(masks == k) & of_object[:, None, None] for k, of_object in enumerate(common.T, 1)]
    return jnp.stack(objects).any(0)
