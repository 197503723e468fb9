"""Which images meet in a training step: (anchor, positive, negative), drawn as a pure function of the step.

The paper trains on pairs that share an object and pairs that do not (§3.4-3.5); one triplet holds both,
with the anchor in common. Nothing here keeps state between steps: (seed, step, batch) decides
everything, so that a run that was killed goes on with exactly the triplets it would have seen.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Int, UInt8

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.errors import UserError

# What a stream of random numbers is for: no two purposes may share one.
_ANCHORS, _PARTNERS = 0, 1


@dataclasses.dataclass(frozen=True, eq=False)
class Triplets:
    """Rows of (anchor, positive, negative), and which of those images are to be mirrored."""

    indices: Int[np.ndarray, 'batch 3']
    flips: Bool[np.ndarray, 'batch 3']

    def rows(self, rows: slice) -> Triplets:
        """The triplets of these rows alone."""
        return Triplets(self.indices[rows], self.flips[rows])


class Batch(NamedTuple):
    """The pixels of a batch of triplets, on host or device; axis 1 is anchor, positive, negative."""

    images: UInt8[np.ndarray | Array, 'batch 3 height width 3']  # RGB, 0-255
    masks: UInt8[np.ndarray | Array, 'batch 3 height width']  # 0 background, 1 object


class _Table(NamedTuple):
    """All images in one order, in which the images that share an object form one block."""

    order: Int[np.ndarray, ' n']  # image at each place: eligible ones class by class, then the outliers
    place: Int[np.ndarray, ' n']  # place of each image
    start: Int[np.ndarray, ' n']  # first place of each image's block
    size: Int[np.ndarray, ' n']  # images in each image's block
    anchors: Int[np.ndarray, ' anchors']  # images that have a partner


@dataclasses.dataclass(frozen=True, eq=False)
class TripletSampler:
    """Uniform random triplets over a labelled image set.

    An image with an empty mask is an outlier of its class and not `eligible`: it shares an object with
    nothing, so it is never an anchor or a positive, and it may be the negative of any anchor, one of
    its own class folder included.

    Anchors come from an endless row of permutations of the images that have a partner: permutation e
    is epoch e, and step s takes the places s·batch to (s+1)·batch - 1. Every such image is thus the
    anchor exactly once an epoch, all batches have one size, and a batch may straddle two epochs.
    The positive is drawn evenly from the other eligible images of the class, the negative evenly from
    all images that share nothing with the anchor.

    Raises:
        UserError: no two images share an object, or nothing could be a negative.
    """

    labels: Int[np.ndarray, ' n']
    eligible: Bool[np.ndarray, ' n']  # the mask is not empty
    seed: int  # >= 0

    def __post_init__(self):
        if not len(self._table.anchors):
            raise UserError(
                'no class has two images with a non-empty mask: training needs pairs that share an object, '
                'add images to a class or check the masks'
            )
        if self._table.size.max() == len(self.labels):
            raise UserError(
                'all images are of one class: training needs pairs that share nothing, add a second class'
            )

    @property
    def anchors_per_epoch(self) -> int:
        """Images that are anchors, each once an epoch."""
        return len(self._table.anchors)

    @functools.cached_property
    def _table(self) -> _Table:
        outliers = self.labels.max(initial=0) + 1
        block = np.where(self.eligible, self.labels, outliers)
        order = np.argsort(block, kind='stable')
        start = np.searchsorted(block[order], block, side='left')
        size = np.searchsorted(block[order], block, side='right') - start
        anchors = np.flatnonzero(self.eligible & (size >= 2))
        return _Table(order, place=np.argsort(order), start=start, size=size, anchors=anchors)

    def draw(self, step: int, batch: int) -> Triplets:
        """The triplets of training step `step`, counted from 0."""
        table, random = self._table, np.random.default_rng((self.seed, _PARTNERS, step))
        anchor = self._anchors(step, batch)
        start, size = table.start[anchor], table.size[anchor]

        # One of the others of the block: the places from the anchor's on move up by one.
        other = random.integers(size - 1)
        positive = start + other + (other >= table.place[anchor] - start)
        # Anything outside the block: the places from the block's on move up by its size.
        outside = random.integers(len(self.labels) - size)
        negative = outside + np.where(outside >= start, size, 0)

        indices = np.stack([anchor, table.order[positive], table.order[negative]], axis=1)
        return Triplets(indices, flips=random.random((batch, 3)) < 0.5)

    def _anchors(self, step: int, batch: int) -> Int[np.ndarray, ' batch']:
        count = self.anchors_per_epoch
        epoch, place = np.divmod(np.arange(step * batch, (step + 1) * batch), count)
        chosen = [
            _permutation(self.seed, int(e), count)[place[epoch == e]] for e in range(epoch[0], epoch[-1] + 1)
        ]
        return self._table.anchors[np.concatenate(chosen)]


@functools.lru_cache(maxsize=4)  # the steps of an epoch share one; two epochs meet in a batch
def _permutation(seed: int, epoch: int, count: int) -> Int[np.ndarray, ' count']:
    return np.random.default_rng((seed, _ANCHORS, epoch)).permutation(count)


def gather(examples: Examples, triplets: Triplets, flip: bool) -> Batch:
    """The pixels of `triplets`; with `flip` those marked in `triplets.flips` are mirrored left to right.

    The pixels may be memory-mapped: only the images of this batch are read.
    """
    shape = triplets.indices.shape
    images = np.empty(shape + examples.images.shape[1:], np.uint8)
    masks = np.empty(shape + examples.masks.shape[1:], np.uint8)
    # A pixel moves as one item of three bytes: mirroring is then twice as fast.
    source, target = examples.images.view('V3')[..., 0], images.view('V3')[..., 0]
    for row, image in np.ndenumerate(triplets.indices):
        columns = slice(None, None, -1 if flip and triplets.flips[row] else 1)
        target[row] = source[image, :, columns]
        masks[row] = examples.masks[image, :, columns]
    return Batch(images, masks)
