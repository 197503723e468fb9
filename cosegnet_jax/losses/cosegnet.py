"""Losses of CoSegNet on a batch: equation 1, with the masks of positive pairs only (§3.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int32, Key, UInt8

from cosegnet_jax.config import Config, Loss
from cosegnet_jax.data.batches import Batch
from cosegnet_jax.losses import equations, mining
from cosegnet_jax.networks.cosegnet import CoSegNet, Description


def decoded(config: Config, members: int) -> int:
    """Count the images of a group that get a mask: those in positive pairs, not drawn negatives."""
    return 2 if config.data.sampler == 'triplets' else members


def batch_losses(
    graph: nnx.GraphDef, params: Any, batch: Batch, key: Key[Array, ''], config: Config
) -> dict[str, Float[Array, '']]:
    """Compute the losses of a batch by name; each image passes the network once, however many pairs it has.

    Args:
        graph: From `networks.graph`.
        params: Weights.
        batch: Groups of images.
        key: Draws the order of each pair for the decision network, and random negatives.
        config: The sampler that drew the batch, weights and readings of the equations.
    """
    model = nnx.merge(graph, params)
    groups, members = batch.labels.shape[:2]
    images, masks, labels, numbers = (x.reshape(groups * members, *x.shape[2:]) for x in batch)
    description = model.describe(images)
    common = mining.common_objects(masks, labels)

    def mask_losses(triplets: mining.Triplets) -> Float[Array, ' t']:
        return _mask_losses(model, description, masks, common, triplets, groups, config)

    fu, share = description.fu, common.any(2)
    return _equation_1(model, fu, description.embedding, share, numbers, key, config, mask_losses)


def head_losses(
    graph: nnx.GraphDef,
    params: Any,
    fu: Float[Array, 'n c'],
    share: Bool[Array, 'n n'],
    numbers: Int32[Array, ' n'],
    key: Key[Array, ''],
    config: Config,
) -> dict[str, Float[Array, '']]:
    """Compute the losses of the metric and decision networks alone: `batch_losses` without L1.

    Args:
        graph: From `networks.graph`.
        params: Weights.
        fu: Average of the tap of each image.
        share: Which images share an object.
        numbers: Numbers of the images in the data set.
        key: As in `batch_losses`.
        config: The sampler that drew the images, weights and readings of the equations.
    """
    model = nnx.merge(graph, params)

    def no_masks(triplets: mining.Triplets) -> Float[Array, ' t']:
        return jnp.zeros(len(triplets.anchor))

    terms = _equation_1(model, fu, model.metric(fu), share, numbers, key, config, no_masks)
    return {name: value for name, value in terms.items() if name != 'loss_mask'}


def _equation_1(
    model: CoSegNet,
    fu: Float[Array, 'n c'],
    embedding: Float[Array, 'n 64'],
    share: Bool[Array, 'n n'],
    numbers: Int32[Array, ' n'],
    key: Key[Array, ''],
    config: Config,
    mask_losses: Callable[[mining.Triplets], Float[Array, ' t']],
) -> dict[str, Float[Array, '']]:
    features = _metric_features(fu, embedding, config.loss)
    key_of_order, key_of_negatives = jax.random.split(key)
    triplets = mining.find(features, share, numbers, key_of_negatives, config)
    anchor, positive, negative = triplets.anchor, triplets.positive, triplets.negative
    shares = share[anchor, positive]
    swaps = jax.random.bernoulli(key_of_order, shape=(2, len(anchor), 1))

    def decision_loss(partner: Array, swap: Array, label: Array) -> Array:
        u, v = embedding[anchor], embedding[partner]
        return equations.decision_loss(model.decision(jnp.where(swap, v, u), jnp.where(swap, u, v)), label)

    each = equations.TripletLosses(
        mask=mask_losses(triplets),
        triplet=equations.triplet_loss(features[anchor], features[positive], features[negative], config.loss),
        decision_positive=decision_loss(positive, swaps[0], shares),
        decision_negative=decision_loss(negative, swaps[1], jnp.zeros_like(shares)),
    )
    values = equations.combine(each, shares, triplets.has_negative, triplets.valid, config.loss)
    return {
        'loss': values.total,
        'loss_mask': values.mask,
        'loss_triplet': values.triplet,
        'loss_decision': values.decision,
        'active_triplets': values.active,
    }


def _mask_losses(
    model: CoSegNet,
    description: Description,
    masks: UInt8[Array, 'n h w'],
    common: Bool[Array, 'n n objects'],
    triplets: mining.Triplets,
    groups: int,
    config: Config,
) -> Float[Array, ' t']:
    """Compute L1 of the positive pair of each triplet: the mean of its two images."""
    members = len(masks) // groups
    kept = decoded(config, members)

    def first_of_group(x: Array) -> Array:
        return x.reshape(groups, members, *x.shape[1:])[:, :kept].reshape(groups * kept, *x.shape[1:])

    pair = jnp.stack([triplets.anchor, triplets.positive])
    positive = triplets.valid & common[pair[0], pair[1]].any(1)
    learns = jnp.zeros(len(masks), bool).at[pair].max(positive)
    of_image = equations.mask_losses(
        model.masks(jax.tree.map(first_of_group, description)),
        first_of_group(masks),
        common.shape[2],
        first_of_group(learns),
        config.loss.mask_reduction,
    )
    row = pair // members * kept + pair % members
    lacking = jnp.where(common[pair, pair[::-1]], 0.0, of_image.without[row]).sum(2)
    return (of_image.of_all[row] + lacking).mean(0)


def _metric_features(
    fu: Float[Array, 'n c'], embedding: Float[Array, 'n 64'], config: Loss
) -> Float[Array, 'n d']:
    """Choose the features whose distances equation 3 measures."""
    features = embedding if config.triplet_features == 'fs' else fu
    if config.normalize_embeddings:
        features = features / jnp.sqrt(jnp.sum(jnp.square(features), -1, keepdims=True) + equations.EPSILON)
    return features
