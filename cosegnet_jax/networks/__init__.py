"""The networks; they take photos and know nothing of data sets.

CoSegNet, in the paper's form and in a small one with a pyramid decoder, describes each image once, mask
included, and decides pairs on embeddings. The others make masks of pairs: CoSegNet-base (§4.5), DOCS (Li et
al., 2018) and semantic-aware attention (Chen et al., 2018).
"""

from __future__ import annotations

from typing import Any

from jax.sharding import Mesh

from cosegnet_jax.config import Config
from cosegnet_jax.networks.image_network import ImageNetwork, PartnerNetwork
from cosegnet_jax.networks.pair_network import PairNetwork
from cosegnet_jax.networks.registry import NETWORKS
from cosegnet_jax.networks.registry import build as build
from cosegnet_jax.networks.registry import graph as graph


def trained(
    config: Config, params: Any, mesh: Mesh, *, step: int = 0, dataset: str = '', images: int = 0
) -> ImageNetwork | PairNetwork:
    """Make the network of `config` with these parameters; arguments are the fields of `TrainedNetwork`."""
    entry = NETWORKS[config.model.name]
    kind = PairNetwork if entry.of_pairs else PartnerNetwork if entry.has_partner else ImageNetwork
    return kind(config, params, mesh, step, dataset, images)
