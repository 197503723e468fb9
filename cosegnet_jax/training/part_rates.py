"""The learning rate of each part of a network, relative to `config.optimizer.learning_rate`."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import optax

from cosegnet_jax.config import Config
from cosegnet_jax.networks.encoders import find_encoder

HEADS = ('metric', 'decision')


def shares(params: Any, config: Config) -> Any:
    """Return the relative learning rate of each parameter: 0 where it is frozen.

    Args:
        params: Nested dict as `state.State.params`.
        config: Rates of the parts, the encoder, and its number of frozen blocks.
    """
    blocks = find_encoder(config.model.encoder).blocks[: config.optimizer.frozen_blocks]
    frozen = {name for block in blocks for name in block}

    def share(path: tuple[Any, ...], _: Any) -> float:
        part, *inner = (key.key for key in path)
        if part in HEADS:
            return config.optimizer.heads_rate
        if part != 'encoder':
            return 1.0
        return 0.0 if frozen.intersection(inner) else config.optimizer.encoder_rate

    return jax.tree_util.tree_map_with_path(share, params)


def with_frozen_encoder(config: Config) -> Config:
    """Return the same experiment with every block of the encoder frozen."""
    blocks = len(find_encoder(config.model.encoder).blocks)
    return dataclasses.replace(config, optimizer=dataclasses.replace(config.optimizer, frozen_blocks=blocks))


def freeze(params: Any, config: Config) -> Any:
    """Stop the gradient of frozen parameters, so that backpropagation ends there."""
    return jax.tree.map(
        lambda p, share: p if share else jax.lax.stop_gradient(p), params, shares(params, config)
    )


def scale(rule: optax.GradientTransformation, config: Config) -> optax.GradientTransformation:
    """Scale the updates of a rule by the rates of the parts; the optimizer's state stays that of the rule."""

    def update(updates: Any, state: optax.OptState, params: Any = None) -> tuple[Any, optax.OptState]:
        updates, state = rule.update(updates, state, params)
        return jax.tree.map(lambda u, share: share * u, updates, shares(updates, config)), state

    return optax.GradientTransformation(rule.init, update)
