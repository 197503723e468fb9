"""The last phase of a run: steps that train the metric and decision networks alone.

These networks read a few hundred numbers of an image: the average of the tap. With all layers before them
fixed, these averages are computed once, and thousands of steps take seconds.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
import optax
from jax.sharding import Mesh
from jaxtyping import Array, Float, Float32, Int32

from cosegnet_jax.config import Config
from cosegnet_jax.data.batches import visible_classes
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.sampling.balanced import BalancedSampler, classes_with_a_pair
from cosegnet_jax.losses import cosegnet, mining
from cosegnet_jax.networks.image_network import ImageNetwork
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import optimizer, part_rates

# Classes of a batch, where the set has so many, and images of a class.
_CLASSES, _IMAGES = 8, 4


def train(
    config: Config, params: Any, examples: Examples, mesh: Mesh
) -> tuple[Any, dict[str, Float32[np.ndarray, ' steps']]]:
    """Train for `config.train.heads_steps` steps; return the weights, and the losses of each step.

    The optimizer is that of `config.optimizer`, with a new state. Batches are class-balanced, whatever the
    sampler was before. Under `config.data.flip`, each image is mirrored half of the time.

    Args:
        config: The experiment.
        params: Weights after the last step with images.
        examples: The training part.
        mesh: Devices that each hold the weights; all compute the same here.
    """
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, sampler='balanced'))
    network = ImageNetwork(config, params, mesh)
    graph, first, steps = network.graph, config.train.steps, config.train.heads_steps
    classes = min(_CLASSES, len(classes_with_a_pair(examples.labels, examples.visible)))
    sampler = BalancedSampler(examples.labels, examples.visible, config.seed, classes, _IMAGES)
    drawn = np.stack([sampler.draw(first + step)[:, 0] for step in range(steps)]).astype(np.int32)
    views = [False, True] if config.data.flip else [False]
    size = config.evaluation.batch_images
    averages = np.stack([_averages(network, examples, mirrored, size) for mirrored in views])
    rule = optimizer.build(config, steps)

    def run(
        heads: Any,
        others: Any,
        fu: Float[Array, 'views n c'],
        visible: Int32[Array, 'n objects'],
        numbers: Int32[Array, ' s'],
        images_of_steps: Int32[Array, 's m'],
    ) -> tuple[Any, dict[str, Float[Array, ' s']]]:
        def step(
            carry: tuple[Any, optax.OptState], now: tuple[Array, Array]
        ) -> tuple[tuple[Any, optax.OptState], dict[str, Float[Array, '']]]:
            (heads, state), (number, images) = carry, now
            of_view, of_losses = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), number))
            averages = fu[jax.random.randint(of_view, images.shape, 0, len(fu)), images]
            share = mining.common_classes(visible[images]).any(2)

            def loss(heads: Any) -> tuple[Array, dict[str, Array]]:
                terms = cosegnet.head_losses(
                    graph, others | heads, averages, share, images, of_losses, config
                )
                return terms['loss'], terms

            gradients, terms = jax.grad(loss, has_aux=True)(heads)
            updates, state = rule.update(gradients, state, heads)
            return (optax.apply_updates(heads, updates), state), terms

        (heads, _), terms = jax.lax.scan(step, (heads, rule.init(heads)), (numbers, images_of_steps))
        return heads, terms

    heads = {name: params[name] for name in part_rates.HEADS}
    visible = visible_classes(examples.labels, examples.visible).astype(np.int32)
    numbers = np.arange(first, first + steps, dtype=np.int32)
    run = jax.jit(run, out_shardings=meshes.replicated(mesh))
    heads, terms = run(heads, params, averages, visible, numbers, drawn)
    return params | heads, jax.device_get(terms)


def _averages(
    network: ImageNetwork, examples: Examples, mirrored: bool, size: int
) -> Float32[np.ndarray, 'n c']:
    """Compute the average of the tap of every image, `size` images at a time."""
    photos = examples.photos(size)
    if mirrored:
        photos = (images[:, :, ::-1] for images in photos)
    return np.concatenate(list(network.averages(photos, size)))
