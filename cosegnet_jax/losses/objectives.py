"""What each kind of network learns from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from jaxtyping import Array, Float

from cosegnet_jax.config import Config, Model
from cosegnet_jax.losses import cosegnet, pairwise, pyramid


@dataclasses.dataclass(frozen=True)
class Objective:
    """Losses of a batch.

    `batch_losses(graph, params, batch, key, config)` names them: 'loss' is the sum that is made small, the
    others are logged. `decoded(config, members)` is how many masks are made of a group of images.
    """

    batch_losses: Callable[..., dict[str, Float[Array, '']]]
    decoded: Callable[[Config, int], int]


_OF_PAIRS = Objective(pairwise.batch_losses, pairwise.decoded)

# By the name that `config.model.name` calls the network.
OBJECTIVES = {
    'cosegnet': Objective(cosegnet.batch_losses, cosegnet.decoded),
    'pyramid': Objective(pyramid.batch_losses, pyramid.decoded),
    'base': _OF_PAIRS,
    'deep_object_coseg': _OF_PAIRS,
    'attention': _OF_PAIRS,
}


def find_objective(config: Model) -> Objective:
    """What the configured network learns from."""
    return OBJECTIVES[config.name]
