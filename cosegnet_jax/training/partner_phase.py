"""Steps that train the partner head alone, after everything else.

The head reads two maps of the encoder and the masks. With all layers before it fixed, these are computed once
for a few views of each photo. Half of the views show an object of another photo, too (composites).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.sharding import Mesh
from jaxtyping import Array, Bool, Int, UInt8

from cosegnet_jax.config import Config
from cosegnet_jax.data.batches import truth_in_pair, visible_classes
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.placement import ahead
from cosegnet_jax.losses.partner import Seen, batch_loss
from cosegnet_jax.networks.image_network import PartnerNetwork, masks_beside_partner
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.progress import Progress
from cosegnet_jax.training import calibration, optimizer, views
from cosegnet_jax.training.views import Views

PAIRS = 48  # of a step, rounded up to what the devices share evenly
_VIEWS, _COMPOSITES = 6, 0.5  # of each photo; share of them that get an object of another photo
_FITTED = 960  # pairs of the validation part
_PAIRS = 4  # purpose of random numbers; others are in views.py, step.py and in the samplers


class Pairs(NamedTuple):
    """Photos, their partners, and what they share; on the host or on devices."""

    first: Seen
    second: Seen
    truth: Bool[Any, 'n height width']


def train(
    config: Config, network: PartnerNetwork, examples: Examples, validation: Examples, mesh: Mesh
) -> dict[str, Any]:
    """Train for `config.train.partner_steps` steps; return the parameters of the head, by its name.

    Under `config.train.calibrate`, the shift of the head is fitted then.

    The optimizer is that of `config.optimizer`, with a new state.

    Args:
        config: The experiment.
        network: With everything else as it will be used, calibrated.
        examples: The training part.
        validation: The validation part.
        mesh: Devices that each hold the weights, and share the pairs of a step.
    """
    steps = config.train.partner_steps
    mixed = dataclasses.replace(config, data=dataclasses.replace(config.data, composite=_COMPOSITES))
    seen = views.make_views(mixed, _VIEWS, _see, network.params, examples, mesh)
    rule = optimizer.build(config, steps)
    graph = nnx.graphdef(nnx.merge(network.graph, network.params).partner)

    def step(head: Any, state: optax.OptState, pairs: Pairs) -> tuple[Any, optax.OptState]:
        def loss(head: Any) -> Array:
            return batch_loss(nnx.merge(graph, head['partner']), *pairs)

        updates, state = rule.update(jax.grad(loss)(head), state, head)
        return optax.apply_updates(head, updates), state

    step = jax.jit(step, out_shardings=meshes.replicated(mesh))
    head = {'partner': dict(network.params['partner'])}
    if config.train.calibrate:
        head['partner']['shift'] = jnp.zeros_like(head['partner']['shift'])
    state = rule.init(head)
    size = -(-PAIRS // mesh.size) * mesh.size
    with Progress('Learning to compare partners', steps, 'steps') as bar:
        for pairs in ahead(_batches(seen, size, steps, config.seed), mesh):
            head, state = step(head, state, pairs)
            bar.update()
    if config.train.calibrate:
        trained = dataclasses.replace(network, params=network.params | head)
        shift = fit_shift(config, trained, validation)
        head['partner']['shift'] = jax.device_put(jnp.float32(shift), meshes.replicated(mesh))
    return head


def fit_shift(config: Config, network: PartnerNetwork, examples: Examples) -> float:
    """Fit the head's shift: that of masks beside a partner with the largest mean Jaccard index.

    Args:
        config: Says how many images a batch has, and the seed.
        network: With the head as it was trained.
        examples: The validation part.
    """
    size = config.evaluation.batch_images
    masks, _, places = network.describe_all(examples.photos(size), size)
    assert places
    labels, truth = visible_classes(examples.labels, examples.visible), np.asarray(examples.masks)
    pairs = draw_pairs(labels, np.arange(len(labels)), _FITTED, np.random.default_rng((config.seed, _PAIRS)))
    overlaps = np.zeros(len(calibration.THRESHOLDS))
    for start in range(0, _FITTED, size):
        first, second = pairs[start : start + size].T
        changes = network.compare(places.select(first), places.select(second))
        beside = np.asarray(masks_beside_partner(masks[first], changes))
        shared = shared_objects(truth[first], labels[first], labels[second])
        overlaps += calibration.jaccard_at(beside, shared).sum(0)
    return calibration.best_shift(overlaps)


def _see(model: Any, images: UInt8[Array, 'n h w 3']) -> tuple[Array, ...]:
    maps = model.encoder(model.normalize(images, model.dtype))
    return (*maps[-2:], model.describe_maps(maps).logits)


def _batches(seen: Views, size: int, steps: int, seed: int) -> Iterator[Pairs]:
    """Draw and read the pairs of each step, as a function of seed and step."""
    count, images, objects = seen.labels.shape
    maps, masks, labels = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), seen)
    shown = np.stack([(masks == k + 1).any((1, 2)) for k in range(objects)], 1)
    labels = np.where(shown, labels, -1)
    photos = np.tile(np.arange(images), count)
    for step in range(steps):
        first, second = draw_pairs(labels, photos, size, np.random.default_rng((seed, _PAIRS, step))).T
        own, partners = (Seen(*(x[rows].astype(np.float32) for x in maps)) for rows in (first, second))
        yield Pairs(own, partners, shared_objects(masks[first], labels[first], labels[second]))


def draw_pairs(
    labels: Int[np.ndarray, 'n objects'],
    photos: Int[np.ndarray, ' n'],
    count: int,
    random: np.random.Generator,
) -> Int[np.ndarray, 'count 2']:
    """Draw pairs that share an object: first a class, each with the same chance, then two photos of it.

    Otherwise most pairs would share what is in most photos, such as a person, and the head would learn this
    class in place of likeness.

    Args:
        labels: The classes that views show, else negative.
        photos: The photo of each view.
        count: Pairs to draw.
        random: Draws.
    """
    members = [np.flatnonzero((labels == number).any(1)) for number in range(labels.max() + 1)]
    members = [rows for rows in members if len(np.unique(photos[rows])) > 1]
    pairs = np.empty((count, 2), int)
    for pair in pairs:
        rows = members[random.integers(len(members))]
        pair[0] = random.choice(rows)
        pair[1] = random.choice(rows[photos[rows] != photos[pair[0]]])
    return pairs


def shared_objects(
    masks: UInt8[np.ndarray, 'n h w'],
    labels: Int[np.ndarray, 'n objects'],
    of_partners: Int[np.ndarray, 'n objects'],
) -> Bool[np.ndarray, 'n h w']:
    """Mark the pixels of the objects that partners show, too.

    Args:
        masks: k on the pixels of object number k.
        labels: Classes of the objects, negative where there is none.
        of_partners: Likewise.
    """
    shared = (labels[:, :, None] == of_partners[:, None]).any(2) & (labels >= 0)
    return truth_in_pair(masks, shared)
