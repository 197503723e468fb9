"""How each kind of network is asked for its masks and decisions."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int

from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation import per_image, per_pair
from cosegnet_jax.evaluation.predictions import PairMasks, Predictions
from cosegnet_jax.networks.image_network import ImageNetwork
from cosegnet_jax.networks.pair_network import PairNetwork
from cosegnet_jax.networks.trained_network import TrainedNetwork


@runtime_checkable
class Scorer(Protocol):
    """Runs networks of one kind on images; `config` says how: batches, thresholds, protocol."""

    def measure(self, config: Config, network: Any, examples: Examples) -> Predictions:
        """The network's masks and decisions of a set, as far as scoring needs them."""
        ...

    def look(
        self, config: Config, network: Any, examples: Examples, chosen: Int[np.ndarray, 'p 2']
    ) -> PairMasks:
        """The network's masks and decisions of some pairs, to be seen."""
        ...


_SCORERS: dict[type[TrainedNetwork], Scorer] = {ImageNetwork: per_image, PairNetwork: per_pair}


def find_scorer(network: TrainedNetwork) -> Scorer:
    """The scorer of this kind of network."""
    return _SCORERS[type(network)]
