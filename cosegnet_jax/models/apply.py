"""What evaluation and prediction call: describe each image once, decide every pair."""

from __future__ import annotations

import functools
from typing import Any

import jax
import numpy as np
from flax import nnx
from jax.sharding import Mesh
from jaxtyping import Array, Float, Float32, UInt8

from cosegnet_jax import mesh as meshes

PAIR_BLOCK = 256  # rows of the pair table decided at a time; one takes 256 · n · 32 floats


@functools.partial(jax.jit, static_argnums=0)
def _describe(
    graph: nnx.GraphDef, params: Any, images: UInt8[Array, 'n h w 3']
) -> tuple[Float[Array, 'n h w'], Float[Array, 'n 64']]:
    model = nnx.merge(graph, params)
    description = model.describe(images)
    return jax.nn.sigmoid(model.masks(description.tap)), description.embedding


@functools.partial(jax.jit, static_argnums=0)
def _decide(
    graph: nnx.GraphDef, params: Any, rows: Float[Array, 'r 64'], columns: Float[Array, 'n 64']
) -> Float[Array, 'r n']:
    return jax.nn.sigmoid(nnx.merge(graph, params).decision.table(rows, columns))


def describe(
    graph: nnx.GraphDef, params: Any, images: UInt8[np.ndarray, 'n h w 3'], batch: int, mesh: Mesh
) -> tuple[Float32[np.ndarray, 'n h w'], Float32[np.ndarray, 'n 64']]:
    """Ungated mask probabilities and embeddings; one pass per image, nothing dropped.

    Args:
        graph: From `models.graph`.
        params: Weights, on every device of `mesh`.
        images: RGB, 0-255; sides multiples of 32.
        batch: Images at a time; rounded up to what the devices can share. The last batch is padded, so
            that one shape is compiled.
        mesh: The devices.
    """
    batch = -(-batch // mesh.size) * mesh.size
    masks, embeddings = [], []
    for start in range(0, len(images), batch):
        rows = images[start : start + batch]
        padding = [(0, batch - len(rows)), (0, 0), (0, 0), (0, 0)]
        mask, embedding = _describe(
            graph, params, jax.device_put(np.pad(rows, padding), meshes.batched(mesh))
        )
        masks.append(np.asarray(mask)[: len(rows)])
        embeddings.append(np.asarray(embedding)[: len(rows)])
    return np.concatenate(masks), np.concatenate(embeddings)


def decide(
    graph: nnx.GraphDef, params: Any, embeddings: Float32[np.ndarray, 'n 64'], symmetric: bool
) -> Float32[np.ndarray, 'n n']:
    """Probability that image i (row) and image j (column) share an object, for every pair.

    Args:
        graph: From `models.graph`.
        params: Weights.
        embeddings: One row per image.
        symmetric: Average the two orders of a pair, which the network tells apart (fidelity row 5).
    """
    table = np.empty((len(embeddings), len(embeddings)), np.float32)
    for start in range(0, len(embeddings), PAIR_BLOCK):
        rows = embeddings[start : start + PAIR_BLOCK]
        table[start : start + len(rows)] = _decide(graph, params, rows, embeddings)
    return (table + table.T) / 2 if symmetric else table
