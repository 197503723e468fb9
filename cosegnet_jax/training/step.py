"""One update of all parameters from a batch of images (§3.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import optax
from jax.sharding import Mesh
from jaxtyping import Array, Float, Key

from cosegnet_jax import networks
from cosegnet_jax.config import Config, Data
from cosegnet_jax.data.augmentation import augment
from cosegnet_jax.data.batches import Batch
from cosegnet_jax.losses.objectives import find_objective
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import part_rates
from cosegnet_jax.training.state import State, moved_average

Metrics = dict[str, Float[Array, '']]

# Purposes of the random keys of a step; each has a number of its own.
_AUGMENTATION, _LOSSES = 0, 1


def make_step(
    config: Config,
    optimizer: optax.GradientTransformation,
    mesh: Mesh,
    batch_of: Callable[[Any, Any], Batch],
    vary: Callable[[Batch, Key[Array, ''], Data], Batch] = augment,
) -> Callable[[State, Any, Any], tuple[State, Metrics]]:
    """Build the jitted step: `(state, on_device, per_step) -> (state, metrics)`.

    `mesh` divides `per_step`, and every device holds the state, whose old buffers are given away. All
    randomness follows from `config.seed` and `state.step`. Metrics are means over the batch: 'loss' and its
    terms, such as 'loss_mask' (L1), 'loss_triplet' (L2) and 'loss_decision' (L3), the share of active
    triplets, and the norms of gradient and update.

    Args:
        config: The experiment.
        optimizer: The update rule.
        mesh: The devices.
        batch_of: Makes the batch, as `batch` of `placement.Feed`.
        vary: Varies the batch at random.
    """
    graph, batch_losses = networks.graph(config.model), find_objective(config.model).batch_losses

    def step(state: State, on_device: Any, per_step: Any) -> tuple[State, Metrics]:
        key = jax.random.fold_in(jax.random.key(config.seed), state.step)
        batch = vary(batch_of(on_device, per_step), jax.random.fold_in(key, _AUGMENTATION), config.data)

        def loss(params: Any) -> tuple[Array, Metrics]:
            params = part_rates.freeze(params, config)
            with jax.sharding.use_abstract_mesh(mesh.abstract_mesh):
                metrics = batch_losses(graph, params, batch, jax.random.fold_in(key, _LOSSES), config)
            return metrics['loss'], metrics

        gradients, metrics = jax.grad(loss, has_aux=True)(state.params)
        updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.params)
        metrics |= {'gradient_norm': optax.tree.norm(gradients), 'update_norm': optax.tree.norm(updates)}
        number, params, average = state.step + 1, optax.apply_updates(state.params, updates), None
        if state.average is not None:
            average = moved_average(state.average, params, number, config.optimizer.average)
        return State(number, params, optimizer_state, average), metrics

    place, rows = meshes.replicated(mesh), meshes.batched(mesh)
    return jax.jit(step, donate_argnums=0, in_shardings=(place, None, rows), out_shardings=(place, place))
