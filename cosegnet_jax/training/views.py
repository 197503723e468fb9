"""Views: augmented training images that pass the frozen blocks of the encoder only once.

On two cores most of a step goes into the finest maps, and frozen blocks compute the same maps at every step.
So a few views of each image pass these blocks before the first step, and their maps are stored in half
precision. Steps continue from the stored maps.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.sharding import Mesh
from jaxtyping import Array, Float16, Int32, Key, UInt8

from cosegnet_jax import networks
from cosegnet_jax.config import Config, Data
from cosegnet_jax.data.augmentation import augment
from cosegnet_jax.data.batches import Batch, Sampler, gather
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.placement import Feed, ahead
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.progress import Progress

_VIEW, _CHOICE = 2, 3  # purposes of random keys; others are in step.py and in the samplers


See = Callable[[Any, UInt8[Array, 'n h w 3']], tuple[Array, ...]]  # (network, images) -> maps


class Views(NamedTuple):
    """Maps of every view of every image."""

    maps: tuple[Float16[np.ndarray, 'views n *shape'], ...]
    masks: UInt8[np.ndarray, 'views n h w']
    labels: Int32[np.ndarray, 'views n objects']


def check_processes(config: Config) -> None:
    """Refuse views in several processes; each would have to hold all of them.

    Raises:
        UserError: Naming the key that asks for them.
    """
    for key, value in (('views', config.train.views), ('partner_steps', config.train.partner_steps)):
        if value and jax.process_count() > 1:
            raise UserError(f'config.train.{key}={value}: needs a single process; use 0')


def make_views(config: Config, count: int, see: See, params: Any, examples: Examples, mesh: Mesh) -> Views:
    """Augment the training part and compute its maps; a view depends on the seed and its number alone.

    Args:
        config: Augmentation.
        count: Views of each image.
        see: Computes the maps.
        params: Weights that it needs.
        examples: The training part.
        mesh: Devices that share the images of a batch.
    """
    graph, size = networks.graph(config.model), config.evaluation.batch_images
    size = -(-size // mesh.size) * mesh.size

    @jax.jit
    def compute(params: Any, batch: Batch, key: jax.Array) -> tuple[Any, Array, Array]:
        varied = augment(batch, key, config.data)
        maps = see(nnx.merge(graph, params), varied.images[:, 0])
        halves = tuple(x.astype(jnp.float16) for x in maps)
        return halves, varied.masks[:, 0], varied.labels[:, 0]

    key = jax.random.fold_in(jax.random.key(config.seed), _VIEW)
    views = []
    for view in range(count):
        random = np.random.default_rng((config.seed, _VIEW, view))
        order = random.permutation(len(examples))  # which images meet in a composite
        order = np.resize(order, -(-len(order) // size) * size).reshape(-1, size)
        parts = []
        what = f'Looking at the photos, {view + 1} of {count} times'
        with Progress(what, len(examples), 'photos') as bar:
            for number, rows in enumerate(order):
                now = jax.random.fold_in(jax.random.fold_in(key, view), number)
                batch = jax.tree.map(
                    functools.partial(meshes.put_batch, mesh), gather(examples, rows[:, None])
                )
                parts.append(jax.device_get(compute(params, batch, now)))
                bar.update(min(size, len(examples) - bar.n))
                bar.restart_clock()
        whole = jax.tree.map(lambda *arrays: np.concatenate(arrays), *parts)
        first = np.unique(order.reshape(-1), return_index=True)[1]
        views.append(jax.tree.map(lambda array, rows=first: array[rows], whole))
    maps, masks, labels = jax.tree.map(lambda *arrays: np.stack(arrays), *views)
    return Views(maps, masks, labels)


def feed(views: Views, sampler: Sampler, steps: range, seed: int, mesh: Mesh) -> Feed:
    """Feed the batches of `steps`: one view, drawn at random, of each image that the sampler draws."""

    def batches() -> Iterator[Batch]:
        for step in steps:
            numbers = sampler.draw(step).astype(np.int32)
            random = np.random.default_rng((seed, _CHOICE, step))
            which = random.integers(0, len(views.masks), numbers.shape), numbers
            maps = tuple(array[which].astype(np.float32) for array in views.maps)
            yield Batch(maps, views.masks[which], views.labels[which], numbers)

    return Feed((), ahead(batches(), mesh), lambda on_device, per_step: per_step)


def leave(batch: Batch, key: Key[Array, ''], config: Data) -> Batch:
    """Return the batch as it is; its images were augmented before."""
    del key, config
    return batch
