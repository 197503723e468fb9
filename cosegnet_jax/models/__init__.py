"""The networks; each takes photos and knows nothing of data sets."""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx

from cosegnet_jax.config import Model
from cosegnet_jax.models.cosegnet import CoSegNet


def build(config: Model, seed: int) -> CoSegNet:
    """The network that `config` describes, with random weights drawn from `seed`."""
    return CoSegNet(tap=config.tap, width=config.width, dtype=jnp.dtype(config.dtype), rngs=nnx.Rngs(seed))


def graph(config: Model) -> nnx.GraphDef:
    """Structure of the network without its weights, to be merged with them inside a jitted function."""
    return nnx.graphdef(nnx.eval_shape(lambda: build(config, 0)))
