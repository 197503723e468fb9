"""One update of all parameters from a batch of images (§3.5)."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import optax
from jax.sharding import Mesh
from jaxtyping import Array, Float

from cosegnet_jax import networks
from cosegnet_jax.config import Config
from cosegnet_jax.data.augmentation import augment
from cosegnet_jax.data.batches import Batch
from cosegnet_jax.losses import cosegnet, pairwise
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import part_rates
from cosegnet_jax.training.state import State

Metrics = dict[str, Float[Array, '']]

# What a key of a step is for: no two purposes may share one.
_AUGMENTATION, _LOSSES = 0, 1


def objective(config: Config) -> ModuleType:
    """What the configured network learns from: a module with `batch_losses` and `decoded`."""
    return pairwise if networks.is_pairwise(config.model) else cosegnet


def decoded(config: Config, members: int) -> int:
    """How many masks are made of each group of `members` images; the others end at the tap."""
    return objective(config).decoded(config, members)


def make_step(
    config: Config,
    optimizer: optax.GradientTransformation,
    mesh: Mesh,
    batch_of: Callable[[Any, Any], Batch],
) -> Callable[[State, Any, Any], tuple[State, Metrics]]:
    """The jitted step: `(state, on_device, per_step) -> (state, metrics)`, on the batch of `placement.Feed`.

    What is per_step is divided over `mesh` and the state lives on all of it; the given state is donated. All
    randomness follows from `config.seed` and `state.step`. Metrics are means over the batch: 'loss', each
    term of it such as 'loss_mask' (L1), 'loss_triplet' (L2) and 'loss_decision' (L3), the share of active
    triplets, and the norms of gradient and update.
    """
    graph, batch_losses = networks.graph(config.model), objective(config).batch_losses

    def step(state: State, on_device: Any, per_step: Any) -> tuple[State, Metrics]:
        key = jax.random.fold_in(jax.random.key(config.seed), state.step)
        batch = augment(batch_of(on_device, per_step), jax.random.fold_in(key, _AUGMENTATION), config.data)

        def loss(params: Any) -> tuple[Array, Metrics]:
            params = part_rates.freeze(params, config.optimizer)
            with jax.sharding.use_abstract_mesh(mesh.abstract_mesh):
                metrics = batch_losses(graph, params, batch, jax.random.fold_in(key, _LOSSES), config)
            return metrics['loss'], metrics

        gradients, metrics = jax.grad(loss, has_aux=True)(state.params)
        updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.params)
        metrics |= {'gradient_norm': optax.tree.norm(gradients), 'update_norm': optax.tree.norm(updates)}
        return State(state.step + 1, optax.apply_updates(state.params, updates), optimizer_state), metrics

    place, rows = meshes.replicated(mesh), meshes.batched(mesh)
    return jax.jit(step, donate_argnums=0, in_shardings=(place, None, rows), out_shardings=(place, place))
