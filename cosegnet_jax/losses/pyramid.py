"""Losses of the small network on a batch.

Masks learn from images in positive pairs, by the paper's L1 (equation 2) and a soft Jaccard index. Decisions
learn from every pair of the batch (L3, equation 4). A contrastive loss takes the place of the triplet loss
L2: it tells each image from all others at once (Khosla et al., Supervised Contrastive Learning, NeurIPS
2020).
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jaxtyping import Array, Bool, Float, Key

from cosegnet_jax.config import Config
from cosegnet_jax.data.batches import Batch
from cosegnet_jax.losses import equations, mining
from cosegnet_jax.runtime import mesh as meshes


def batch_losses(
    graph: nnx.GraphDef, params: Any, batch: Batch, key: Key[Array, ''], config: Config
) -> dict[str, Float[Array, '']]:
    """Compute the losses of a batch by name; each image passes the network once.

    Args:
        graph: From `networks.graph`.
        params: Weights.
        batch: Groups of images, or of the maps that the frozen blocks of the encoder made of them.
        key: Not used; nothing is drawn.
        config: The weights of the losses.
    """
    del key
    model = nnx.merge(graph, params)
    images, masks, labels, numbers = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), batch)
    description = model.describe_from(images) if isinstance(images, tuple) else model.describe(images)
    share = mining.common_objects(masks, labels).any(2)
    others = numbers[:, None] != meshes.replicate(numbers)
    positive, negative = share & others, ~share & others

    each = mask_losses(model.masks(description), masks > 0, config.loss.soft_jaccard)
    mask = equations.mean_where(each, positive.any(1))  # §3.5: masks learn from images in positive pairs only
    everyone = meshes.replicate(description.embedding)
    decisions = equations.decision_loss(model.decision.table(description.embedding, everyone), share)
    contrast = contrastive_loss(description.embedding, positive, others, config.loss.temperature)
    of_positive, of_negative = (equations.mean_where(decisions, pairs) for pairs in (positive, negative))
    total = config.loss.w1_positive * mask + config.loss.contrast * contrast
    total += config.loss.w3_positive * of_positive + config.loss.w3_negative * of_negative
    return {
        'loss': total,
        'loss_mask': mask,
        'loss_contrast': contrast,
        'loss_positive': of_positive,
        'loss_negative': of_negative,
    }


def mask_losses(
    logits: Float[Array, 'n h w'], truth: Bool[Array, 'n h w'], soft_jaccard: float
) -> Float[Array, ' n']:
    """Compute the cross-entropy of each mask, plus `soft_jaccard` times one minus its soft Jaccard index.

    The soft index sums probabilities where the Jaccard index counts pixels; both sums start at one.
    """
    wanted = truth.astype(jnp.float32)
    entropy = optax.sigmoid_binary_cross_entropy(logits, wanted).mean((1, 2))
    probability = jax.nn.sigmoid(logits)
    both = (probability * wanted).sum((1, 2))
    either = (probability + wanted).sum((1, 2)) - both
    return entropy + soft_jaccard * (1 - (both + 1) / (either + 1))


def contrastive_loss(
    embedding: Float[Array, 'n 64'],
    positive: Bool[Array, 'n n'],
    others: Bool[Array, 'n n'],
    temperature: float,
) -> Float[Array, '']:
    """Compute the cross-entropy of finding an image's positives among all other images by their cosines.

    It is averaged over the images that have a positive.

    Args:
        embedding: Unit vectors.
        positive: Which images share an object.
        others: False where two rows are the same image.
        temperature: Divides the cosines before the softmax.
    """
    everyone = meshes.replicate(embedding)
    cosines = jnp.dot(embedding, everyone.T, precision=jax.lax.Precision.HIGHEST)
    logits = jnp.where(others, cosines / temperature, -jnp.inf)
    # Without other images there is no softmax; the row is not read.
    logits = jnp.where(others.any(1, keepdims=True), logits, 0.0)
    chances = jnp.where(positive, jax.nn.log_softmax(logits), 0.0).sum(1) / jnp.maximum(positive.sum(1), 1)
    return equations.mean_where(-chances, positive.any(1))
