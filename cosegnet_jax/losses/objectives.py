"""The losses of each kind of network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from jaxtyping import Array, Float

from cosegnet_jax.config import Config, Model
from cosegnet_jax.losses import cosegnet, pairwise, pyramid


@dataclasses.dataclass(frozen=True)
class Objective:
    """How a kind of network learns.

    `batch_losses(graph, params, batch, key, config)` returns losses by name: training minimizes 'loss' and
    logs the others. `decoded(config, members)` is the number of masks that a group of images gets.
    """

    batch_losses: Callable[..., dict[str, Float[Array, '']]]
    decoded: Callable[[Config, int], int]


# Both masks of the positive and of the negative pair of a triplet.
_OF_PAIRS = Objective(pairwise.batch_losses, lambda config, members: 4)

# By the name that `config.model.name` calls the network.
OBJECTIVES = {
    'cosegnet': Objective(cosegnet.batch_losses, cosegnet.decoded),
    'pyramid': Objective(pyramid.batch_losses, lambda config, members: members),
    'base': _OF_PAIRS,
    'deep_object_coseg': _OF_PAIRS,
    'attention': _OF_PAIRS,
}


def find_objective(config: Model) -> Objective:
    """Find how the configured network learns."""
    return OBJECTIVES[config.name]
