"""A trained CoSegNet: describe each image once, decide every pair."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Float32, Int, UInt8

from cosegnet_jax.networks.partner import Places, beside_partner
from cosegnet_jax.networks.siamese import SiameseNetwork
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.runtime import mesh as meshes

PAIR_BLOCK = 256  # images a side of the blocks in which pairs are decided
COMPARED = 16  # pairs whose places are compared at a time
_FAINTEST = 1 / 512  # probability that a byte of 0 stands for, and one of 255 for as much less than 1


class Descriptions(NamedTuple):
    """Of a batch of images, on the host or on devices."""

    masks: Float32[Any, 'n h w']  # probability of object, before partner and gate
    embeddings: Float32[Any, 'n 64']
    places: Places | None  # of a network whose masks know the partner


@dataclasses.dataclass(frozen=True, eq=False)
class ImageNetwork(TrainedNetwork):
    """A trained network that describes each image by a mask and an embedding, and decides on embeddings."""

    def describe(self, batches: Iterable[UInt8[np.ndarray, '_ h w 3']], size: int) -> Iterator[Descriptions]:
        """Describe images, batch by batch; one pass per image.

        Two batches are in memory: the next one is read while the devices compute the one before it.

        Args:
            batches: Of any number of images, RGB, 0-255; sides multiples of 32.
            size: Images of the largest batch. Every batch is padded to this size, rounded up to a multiple of
                the devices, so that one shape is compiled.
        """
        compute = functools.partial(_describe, self.graph, self.params)
        return meshes.over_batches(compute, batches, size, self.mesh)

    def describe_all(self, batches: Iterable[UInt8[np.ndarray, '_ h w 3']], size: int) -> Descriptions:
        """Describe images as `describe` does, and hold all descriptions in memory."""
        described = self.describe(batches, size)
        return jax.tree.map(lambda *parts: np.concatenate(parts), *described)

    def averages(
        self, batches: Iterable[UInt8[np.ndarray, '_ h w 3']], size: int
    ) -> Iterator[Float32[np.ndarray, '_ c']]:
        """Compute what the metric network reads, fu, batch by batch; arguments as of `describe`."""
        compute = functools.partial(_average, self.graph, self.params)
        return meshes.over_batches(compute, batches, size, self.mesh)

    def decide(
        self, rows: Float32[np.ndarray, 'r 64'], columns: Float32[np.ndarray, 'c 64'], symmetric: bool
    ) -> Float32[np.ndarray, 'r c']:
        """Decide whether each image of `rows` shares an object with each image of `columns`; probabilities.

        It works in padded blocks of `PAIR_BLOCK` images a side, which bounds the memory: 32 floats for each
        pair of a block, in each order.

        Args:
            rows: Embeddings.
            columns: Embeddings.
            symmetric: Average the two orders of a pair, which the network tells apart (fidelity row 5);
                else the image of the row comes first.
        """
        table = np.empty((len(rows), len(columns)), np.float32)
        for top in range(0, len(rows), PAIR_BLOCK):
            firsts = rows[top : top + PAIR_BLOCK]
            above = meshes.put_padded(self.mesh, firsts, PAIR_BLOCK)
            for left in range(0, len(columns), PAIR_BLOCK):
                seconds = columns[left : left + PAIR_BLOCK]
                padded = np.pad(seconds, [(0, PAIR_BLOCK - len(seconds)), (0, 0)])
                decided = _decide(self.graph, symmetric, self.params, above, padded)
                block = meshes.fetch(decided, len(firsts))
                table[top : top + len(firsts), left : left + len(seconds)] = block[:, : len(seconds)]
        return table

    def decide_pairs(
        self, embeddings: Float32[np.ndarray, 'n 64'], pairs: Int[np.ndarray, 'p 2']
    ) -> Float32[np.ndarray, ' p']:
        """Decide whether the two images of each pair share an object; mean probability of both orders.

        Equal to `decide` up to rounding, without the table of all pairs.

        Args:
            embeddings: Of the images.
            pairs: Rows of two images each.
        """
        size = PAIR_BLOCK**2
        chunks = (pairs[start : start + size] for start in range(0, len(pairs), size))

        def run(some: Int[np.ndarray, '_ 2']) -> Float[Array, ' size']:
            first, second = (meshes.put_padded(self.mesh, embeddings[side], size) for side in some.T)
            return _decide_pairs(self.graph, self.params, first, second)

        decided = list(meshes.fetch_behind((run(some), len(some)) for some in chunks))
        return np.concatenate([np.empty(0, np.float32), *decided])


@dataclasses.dataclass(frozen=True, eq=False)
class PartnerNetwork(ImageNetwork):
    """A trained network whose partners choose among the objects of an image; it still describes each once."""

    def compare(self, first: Places, second: Places) -> Float32[np.ndarray, 'n h w']:
        """Compute by how much the partner changes the logit of each place of the first image of each pair.

        Args:
            first: Places of as many images as there are pairs.
            second: Places of their partners.
        """
        starts = range(0, len(first.vectors), COMPARED)

        def run(start: int) -> Float[Array, 'size h w']:
            padded = jax.tree.map(
                lambda x: meshes.put_padded(self.mesh, x[start : start + COMPARED], COMPARED), (first, second)
            )
            return _compare(self.graph, self.params, *padded)

        counts = (min(COMPARED, len(first.vectors) - start) for start in starts)
        compared = meshes.fetch_behind(zip(map(run, starts), counts, strict=True))
        return np.concatenate([np.empty((0, *first.objects.shape[1:]), np.float32), *compared])


@jax.jit
def masks_beside_partner(
    masks: Float[Array, 'n height width'] | UInt8[Array, 'n height width'], partner: Float[Array, 'n h w']
) -> Float[Array, 'n height width']:
    """Compute probabilities of masks beside a partner.

    Args:
        masks: Probabilities without a partner, or bytes that stand for them, 255 for 1.
        partner: From `PartnerNetwork.compare`.
    """
    if masks.dtype == jnp.uint8:
        masks = masks.astype(jnp.float32) / 255
    logits = jax.scipy.special.logit(jnp.clip(masks, _FAINTEST, 1 - _FAINTEST))
    return jax.nn.sigmoid(beside_partner(logits, partner))


def masks_and_embeddings(
    model: SiameseNetwork, images: UInt8[Array, 'n h w 3']
) -> tuple[Float[Array, 'n h w'], Float[Array, 'n 64']]:
    """Compute ungated mask probabilities and embeddings of a batch."""
    description = model.describe(images)
    return jax.nn.sigmoid(model.masks(description)), description.embedding


def shared_object(
    model: SiameseNetwork,
    symmetric: bool,
    rows: Float[Array, 'r 64'],
    columns: Float[Array, 'c 64'],
) -> Float[Array, 'r c']:
    """Compute probabilities as `ImageNetwork.decide` does."""
    probability = jax.nn.sigmoid(model.decision.table(rows, columns))
    if symmetric and model.decision.ordered:
        return (probability + jax.nn.sigmoid(model.decision.table(columns, rows)).T) / 2
    return probability


@functools.partial(jax.jit, static_argnums=0)
def _describe(graph: nnx.GraphDef, params: Any, images: Array) -> Descriptions:
    model = nnx.merge(graph, params)
    description = model.describe(images)
    masks = jax.nn.sigmoid(model.masks(description))
    return Descriptions(masks, description.embedding, model.places(description))


@functools.partial(jax.jit, static_argnums=0)
def _compare(graph: nnx.GraphDef, params: Any, first: Places, second: Places) -> Float[Array, 'n h w']:
    return nnx.merge(graph, params).partner(first, second)


@functools.partial(jax.jit, static_argnums=0)
def _average(graph: nnx.GraphDef, params: Any, images: Array) -> Array:
    return nnx.merge(graph, params).describe(images).fu


@functools.partial(jax.jit, static_argnums=(0, 1))
def _decide(graph: nnx.GraphDef, symmetric: bool, params: Any, rows: Array, columns: Array) -> Array:
    return shared_object(nnx.merge(graph, params), symmetric, rows, columns)


@functools.partial(jax.jit, static_argnums=0)
def _decide_pairs(
    graph: nnx.GraphDef, params: Any, first: Float[Array, 'p 64'], second: Float[Array, 'p 64']
) -> Float[Array, ' p']:
    decision = nnx.merge(graph, params).decision
    probability = jax.nn.sigmoid(decision(first, second))
    if decision.ordered:
        return (probability + jax.nn.sigmoid(decision(second, first))) / 2
    return probability
