"""The last phase of a run: the metric and the decision network alone, on averages of the tap taken once.

Nearly all of a step goes into pixels, while these two networks read a few hundred numbers of an image. With
everything before them fixed, those numbers are the same at every step, and thousands of steps take seconds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import optax
from jax.sharding import Mesh
from jaxtyping import Array, Float, Float32, Int32, UInt8

from cosegnet_jax import mesh as meshes
from cosegnet_jax import models
from cosegnet_jax.config import Config
from cosegnet_jax.data.balanced import BalancedSampler
from cosegnet_jax.data.batches import shown_classes
from cosegnet_jax.data.examples import NO_CLASS, Examples
from cosegnet_jax.models import apply
from cosegnet_jax.training import cosegnet_losses, mining, optimizer, rates

# A batch, where the set has so many classes; images cost nothing here, and both losses are of pairs of them.
_CLASSES, _IMAGES = 8, 4


def train(
    config: Config, params: Any, examples: Examples, mesh: Mesh
) -> tuple[Any, dict[str, Float32[np.ndarray, ' steps']]]:
    """Weights after `config.train.heads_steps` steps, and the losses of each.

    The rule is that of `config.optimizer`, begun anew. Batches are class-balanced, whatever the sampler was
    before, and each image is mirrored half of the time if `config.data.flip` says so.

    Args:
        config: The experiment.
        params: Weights after the last step with images.
        examples: The training part.
        mesh: Devices that each hold the weights; all do the same here.
    """
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, sampler='balanced'))
    graph, first, steps = models.graph(config.model), config.train.steps, config.train.heads_steps
    shown = shown_classes(examples.labels, examples.shown)
    classes = min(_CLASSES, int((np.bincount(shown[shown != NO_CLASS]) >= 2).sum()))
    sampler = BalancedSampler(examples.labels, examples.shown, config.seed, classes, _IMAGES)
    drawn = np.stack([sampler.draw(first + step)[:, 0] for step in range(steps)]).astype(np.int32)
    views = [False, True] if config.data.flip else [False]
    averages = np.stack([_averages(config, params, examples, mirrored, mesh) for mirrored in views])
    rule = optimizer.build(config.optimizer, steps)

    def step(
        carry: tuple[Any, optax.OptState], now: tuple[Array, Array], resident: tuple[Array, Array, Any]
    ) -> tuple[tuple[Any, optax.OptState], dict[str, Float[Array, '']]]:
        (heads, state), (number, images), (fu, labels, others) = carry, now, resident
        of_view, of_losses = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), number))
        view = jax.random.randint(of_view, images.shape, 0, len(fu))
        share = mining.common_classes(labels[images]).any(2)

        def loss(heads: Any) -> tuple[Array, dict[str, Array]]:
            terms = cosegnet_losses.head_losses(
                graph, others | heads, fu[view, images], share, images, of_losses, config
            )
            return terms['loss'], terms

        gradients, terms = jax.grad(loss, has_aux=True)(heads)
        updates, state = rule.update(gradients, state, heads)
        return (optax.apply_updates(heads, updates), state), terms

    def run(heads: Any, numbers: Int32[Array, ' s'], images: Int32[Array, 's n'], resident: Any) -> Any:
        carry, terms = jax.lax.scan(
            lambda carry, now: step(carry, now, resident), (heads, rule.init(heads)), (numbers, images)
        )
        return carry[0], terms

    place = meshes.replicated(mesh)
    heads = {name: params[name] for name in rates.HEADS}
    numbers = np.arange(first, first + steps, dtype=np.int32)
    resident = averages, shown.astype(np.int32), params
    heads, terms = jax.jit(run, out_shardings=place)(heads, numbers, drawn, resident)
    return params | heads, jax.device_get(terms)


def _averages(
    config: Config, params: Any, examples: Examples, mirrored: bool, mesh: Mesh
) -> Float32[np.ndarray, 'n c']:
    """What the metric network reads of every image."""
    size = config.evaluation.batch_images

    def batches() -> Iterator[UInt8[np.ndarray, '_ h w 3']]:
        for rows in examples.batches(size):
            images = np.asarray(examples.images[rows])
            yield images[:, :, ::-1] if mirrored else images

    return np.concatenate(list(apply.averages(models.graph(config.model), params, batches(), size, mesh)))
