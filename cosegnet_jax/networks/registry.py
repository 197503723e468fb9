"""The networks by the names of `config.model.name`.

To add a network, add an entry here and in `losses.objectives`, and its name in `config.Model`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp
from flax import nnx

from cosegnet_jax.config import Model
from cosegnet_jax.networks.cosegnet import CoSegNet
from cosegnet_jax.networks.encoders import find_encoder
from cosegnet_jax.networks.peers.attention import SemanticAttention
from cosegnet_jax.networks.peers.base import CoSegNetBase
from cosegnet_jax.networks.peers.deep_object_coseg import DeepObjectCoSeg
from cosegnet_jax.networks.pyramid import PyramidCoSegNet


@dataclasses.dataclass(frozen=True)
class Entry:
    """How to make a network, and whether its masks depend on the pair."""

    make: Callable[..., nnx.Module]  # given `config.model`, and as keywords width, dtype and rngs
    of_pairs: bool = False  # if true, it is a `pairwise.Pairwise`
    has_partner: bool = False  # if true, it has a `partner.PartnerHead`


NETWORKS = {
    'cosegnet': Entry(
        lambda config, **shared: CoSegNet(find_encoder(config.encoder), tap=config.tap, **shared)
    ),
    'pyramid': Entry(
        lambda config, **shared: PyramidCoSegNet(find_encoder(config.encoder), **shared), has_partner=True
    ),
    'base': Entry(lambda _, **shared: CoSegNetBase(**shared), of_pairs=True),
    'deep_object_coseg': Entry(lambda _, **shared: DeepObjectCoSeg(**shared), of_pairs=True),
    'attention': Entry(lambda _, **shared: SemanticAttention(**shared), of_pairs=True),
}


def build(config: Model, seed: int) -> nnx.Module:
    """Build the network of `config` with random weights drawn from `seed`."""
    dtype = jnp.dtype(config.dtype)
    return NETWORKS[config.name].make(config, width=config.width, dtype=dtype, rngs=nnx.Rngs(seed))


def graph(config: Model) -> nnx.GraphDef:
    """Return the structure of a network, to merge with parameters inside a jitted function."""
    return nnx.graphdef(nnx.eval_shape(lambda: build(config, 0)))
