"""The networks by the names that `config.model.name` gives them."""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx

from cosegnet_jax.config import Model
from cosegnet_jax.networks.cosegnet import CoSegNet
from cosegnet_jax.networks.encoders import find_encoder
from cosegnet_jax.networks.pairwise import Pairwise
from cosegnet_jax.networks.peers.attention import SemanticAttention
from cosegnet_jax.networks.peers.base import CoSegNetBase
from cosegnet_jax.networks.peers.deep_object_coseg import Docs
from cosegnet_jax.networks.pyramid import PyramidCoSegNet

_PAIRWISE = {'base': CoSegNetBase, 'docs': Docs, 'attention': SemanticAttention}


def is_pairwise(config: Model) -> bool:
    """Whether masks depend on the pair: then the network is a `Pairwise`, else one that describes images."""
    return config.name in _PAIRWISE


def build(config: Model, seed: int) -> CoSegNet | PyramidCoSegNet | Pairwise:
    """The network that `config` describes, with random weights drawn from `seed`."""
    shared = {'width': config.width, 'dtype': jnp.dtype(config.dtype), 'rngs': nnx.Rngs(seed)}
    if is_pairwise(config):
        return _PAIRWISE[config.name](**shared)
    if config.name == 'pyramid':
        return PyramidCoSegNet(find_encoder(config.encoder), **shared)
    return CoSegNet(find_encoder(config.encoder), tap=config.tap, **shared)


def graph(config: Model) -> nnx.GraphDef:
    """Structure of the network without its weights, to be merged with them inside a jitted function."""
    return nnx.graphdef(nnx.eval_shape(lambda: build(config, 0)))
