"""The two functions that all of CoSegNet is, with its parameters inside, for programs that do not know it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import export
from jaxtyping import Array, Float, UInt8

from cosegnet_jax.networks import image_network
from cosegnet_jax.networks.heads import EMBEDDING
from cosegnet_jax.networks.siamese import SiameseNetwork
from cosegnet_jax.networks.trained_network import TrainedNetwork


class Function(NamedTuple):
    """What is traced and written to a file of its own."""

    name: str
    call: Callable
    inputs: dict[str, jax.ShapeDtypeStruct]  # in their order; counts of photos are symbols
    outputs: tuple[str, ...]


def merged(network: TrainedNetwork) -> SiameseNetwork:
    """The network with its parameters, on one device, however many hold them."""
    params = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), network.params)
    return nnx.merge(network.graph, params)


def functions(model: SiameseNetwork, side: int) -> tuple[Function, Function]:
    """`describe` and `decide`, of embeddings, as `CoSegmenter` has them.

    Args:
        model: From `merged`.
        side: Of the photos that it describes, in pixels.
    """

    def describe(images: UInt8[Array, 'n side side 3']) -> tuple[Array, Array]:
        return image_network.masks_and_embeddings(model, images)

    def decide(rows: Float[Array, 'r 64'], columns: Float[Array, 'c 64']) -> Float[Array, 'r c']:
        return image_network.shared_object(model, True, rows, columns)

    n, r, c = export.symbolic_shape('n, r, c')
    images = jax.ShapeDtypeStruct((n, side, side, 3), np.uint8)
    rows, columns = (jax.ShapeDtypeStruct((count, EMBEDDING), np.float32) for count in (r, c))
    return (
        Function('describe', describe, {'images': images}, ('masks', 'embeddings')),
        Function('decide', decide, {'rows': rows, 'columns': columns}, ('probabilities',)),
    )
