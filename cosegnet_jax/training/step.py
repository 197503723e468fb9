"""One update of all parameters from a batch of triplets (§3.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.sharding import Mesh
from jaxtyping import Array, Float, Key, UInt8

from cosegnet_jax import losses
from cosegnet_jax import mesh as meshes
from cosegnet_jax.config import Config, Loss
from cosegnet_jax.models import graph as model_graph
from cosegnet_jax.training.state import State

Images = UInt8[Array, 'triplets 3 h w 3']  # axis 1: anchor, positive, negative
Masks = UInt8[Array, 'triplets 3 h w']
Metrics = dict[str, Float[Array, '']]


def batch_losses(
    graph: nnx.GraphDef, params: Any, images: Images, masks: Masks, key: Key[Array, ''], config: Loss
) -> losses.Losses:
    """Losses of a batch of triplets: each image passes the encoder once, and only pairs pass twice.

    Args:
        graph: From `models.graph`.
        params: Weights.
        images: RGB, 0-255.
        masks: Ground truth, 0 or 1; the negative's is not read.
        key: Draws the order in which each pair meets the order-dependent decision network.
        config: Weights and readings of the equations.
    """
    model = nnx.merge(graph, params)
    triplets, _, height, width, _ = images.shape
    description = model.describe(images.reshape(triplets * 3, height, width, 3))

    # A pair's label follows from its masks, whatever the batch calls it: an image that shows no object (an
    # outlier of its class folder, say) shares nothing.
    share = jnp.any(masks[:, :2], axis=(2, 3)).all(1)

    # Masks are asked of positive pairs alone, so the negative image ends at the tap.
    tap = description.tap.reshape(triplets, 3, *description.tap.shape[1:])[:, :2]
    logits = model.masks(tap.reshape(triplets * 2, *tap.shape[2:])).reshape(triplets, 2, height, width)
    l1 = losses.mask_loss(logits, masks[:, :2], share, config.mask_reduction)

    features = description.embedding if config.triplet_features == 'fs' else description.fu
    if config.normalise_embeddings:
        features = features / jnp.sqrt(jnp.sum(jnp.square(features), -1, keepdims=True) + losses.EPSILON)
    anchor, positive, negative = features.reshape(triplets, 3, -1).swapaxes(0, 1)
    l2 = losses.triplet_loss(anchor, positive, negative, config.margin, config.triplet_distance)

    anchor, positive, negative = description.embedding.reshape(triplets, 3, -1).swapaxes(0, 1)
    swap_positive, swap_negative = jax.random.bernoulli(key, shape=(2, triplets, 1))
    positive_logit = model.decide(*_swapped(anchor, positive, swap_positive))
    negative_logit = model.decide(*_swapped(anchor, negative, swap_negative))
    l3_positive = losses.decision_loss(positive_logit, share)
    l3_negative = losses.decision_loss(negative_logit, jnp.zeros_like(share))
    return losses.combine(l1, l2, l3_positive, l3_negative, share, config)


def _swapped(u: Array, v: Array, swap: Array) -> tuple[Array, Array]:
    return jnp.where(swap, v, u), jnp.where(swap, u, v)


def make_step(
    config: Config, optimizer: optax.GradientTransformation, mesh: Mesh
) -> Callable[[State, Images, Masks], tuple[State, Metrics]]:
    """The jitted step: `(state, images, masks) -> (state, metrics)`.

    The batch is divided over `mesh` and the state lives on all of it; the given state is donated. All
    randomness follows from `config.seed` and `state.step`. Metrics are means over the batch: loss,
    loss_mask (L1), loss_triplet (L2), loss_decision (L3), and the norms of gradient and update.
    """
    graph = model_graph(config.model)

    def step(state: State, images: Images, masks: Masks) -> tuple[State, Metrics]:
        key = jax.random.fold_in(jax.random.key(config.seed), state.step)

        def total(params: Any) -> tuple[Array, losses.Losses]:
            values = batch_losses(graph, params, images, masks, key, config.loss)
            return values.total, values

        gradients, values = jax.grad(total, has_aux=True)(state.params)
        updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.params)
        metrics = {
            'loss': values.total,
            'loss_mask': values.mask,
            'loss_triplet': values.triplet,
            'loss_decision': values.decision,
            'gradient_norm': optax.tree.norm(gradients),
            'update_norm': optax.tree.norm(updates),
        }
        return State(state.step + 1, optax.apply_updates(state.params, updates), optimizer_state), metrics

    place, rows = meshes.replicated(mesh), meshes.batched(mesh)
    return jax.jit(step, donate_argnums=0, in_shardings=(place, rows, rows), out_shardings=(place, place))
