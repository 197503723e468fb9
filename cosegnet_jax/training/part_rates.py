"""How fast each part of a network learns, as a share of the learning rate."""

from __future__ import annotations

from typing import Any

import jax
import optax

from cosegnet_jax.config import Optimizer
from cosegnet_jax.networks.encoders.vgg16 import BLOCKS

HEADS = ('metric', 'decision')


def shares(params: Any, config: Optimizer) -> Any:
    """The share of the learning rate that each parameter has: 0 where it keeps its value.

    Args:
        params: Nested dict as `state.State.params`.
        config: Rates of the parts, and how many blocks of VGG16 are frozen.
    """
    frozen = {name for block in BLOCKS[: config.frozen_blocks] for name, _ in block}

    def share(path: tuple[jax.tree_util.DictKey, ...], _: Any) -> float:
        part, *inner = (key.key for key in path)
        if part in HEADS:
            return config.heads_rate
        if part != 'encoder':
            return 1.0
        return 0.0 if frozen.intersection(inner) else config.encoder_rate

    return jax.tree_util.tree_map_with_path(share, params)


def freeze(params: Any, config: Optimizer) -> Any:
    """The parameters, those that keep their values without gradients: backpropagation stops there."""
    return jax.tree.map(
        lambda p, share: p if share else jax.lax.stop_gradient(p), params, shares(params, config)
    )


def scale(rule: optax.GradientTransformation, config: Optimizer) -> optax.GradientTransformation:
    """The update rule, each parameter with its share; the state of the optimizer is that of the rule."""

    def update(gradients: Any, state: optax.OptState, params: Any) -> tuple[Any, optax.OptState]:
        updates, state = rule.update(gradients, state, params)
        return jax.tree.map(lambda u, share: share * u, updates, shares(updates, config)), state

    return optax.GradientTransformation(rule.init, update)
