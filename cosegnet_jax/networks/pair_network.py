"""A trained network of pairs: describe each image once, make both masks of each pair."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Float32, Int, UInt8

from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.runtime import mesh as meshes


@dataclasses.dataclass(frozen=True, eq=False)
class PairNetwork(TrainedNetwork):
    """A trained network whose masks depend on the pair: a `pairwise.Pairwise` with its parameters."""

    def describe(self, batches: Iterable[UInt8[np.ndarray, '_ h w 3']], size: int) -> Any:
        """Describe all images; descriptions are on the host, about 100 KB each at 224×224.

        Args:
            batches: Of any number of images, RGB, 0-255; sides multiples of 32.
            size: Images of the largest batch; see `ImageNetwork.describe`.
        """
        compute = functools.partial(_describe, self.graph, self.params)
        described = meshes.over_batches(compute, batches, size, self.mesh)
        return jax.tree.map(lambda *parts: np.concatenate(parts), *described)

    def pair_masks(
        self, descriptions: Any, pairs: Int[np.ndarray, 'p 2'], size: int
    ) -> Iterator[Float32[np.ndarray, '_ 2 h w']]:
        """Compute probabilities of both masks of each pair, `size` pairs at a time.

        Args:
            descriptions: From `describe`.
            pairs: Rows of two images each.
            size: Pairs decoded at a time.
        """

        def run(some: Int[np.ndarray, '_ 2']) -> Float[Array, 'size 2 h w']:
            def side(k: int) -> Any:
                return jax.tree.map(
                    lambda rows: meshes.put_padded(self.mesh, rows[some[:, k]], size), descriptions
                )

            return _pair_masks(self.graph, self.params, side(0), side(1))

        chunks = (pairs[start : start + size] for start in range(0, len(pairs), size))
        return meshes.fetch_behind((run(some), len(some)) for some in chunks)


@functools.partial(jax.jit, static_argnums=0)
def _describe(graph: nnx.GraphDef, params: Any, images: UInt8[Array, 'n h w 3']) -> Any:
    return nnx.merge(graph, params).describe(images)


@functools.partial(jax.jit, static_argnums=0)
def _pair_masks(graph: nnx.GraphDef, params: Any, first: Any, second: Any) -> Float[Array, 'n 2 h w']:
    model = nnx.merge(graph, params)
    logits = [model.pair_masks(first, second), model.pair_masks(second, first)]
    return jax.nn.sigmoid(jnp.stack(logits, 1))
