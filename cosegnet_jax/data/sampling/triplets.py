"""Uniform random triplets (anchor, positive, negative).

The paper trains on pairs that share an object and pairs that do not (§3.4-3.5). A triplet holds one of each,
with the anchor in common.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from jaxtyping import Bool, Int

from cosegnet_jax.data.batches import visible_classes
from cosegnet_jax.data.examples import NO_CLASS
from cosegnet_jax.runtime.errors import UserError

# Purposes of random streams; each has a number of its own.
_ANCHORS, _PARTNERS = 0, 1


@dataclasses.dataclass(frozen=True, eq=False)
class TripletSampler:
    """Draws triplets of an image, one that shares an object with it, and one that shares none.

    Every image that has both kinds of partners is the anchor once an epoch: epoch e is a random permutation
    of these images, and step s takes places s·triplets to (s+1)·triplets - 1 of the epochs in a row. All
    batches have the same size, and a batch may span two epochs. The positive is drawn evenly from the images
    that share a class with the anchor. The negative is drawn evenly from all others, outliers included.

    Raises:
        UserError: No two images share an object, or nothing could be a negative.
    """

    labels: Int[np.ndarray, 'n objects']
    visible: Bool[np.ndarray, 'n objects']
    seed: int  # >= 0
    triplets: int  # of a step

    def __post_init__(self):
        if len(self._anchors):
            return
        counts = np.unique(self._classes[self._classes != NO_CLASS], return_counts=True)[1]
        if counts.max(initial=0) < 2:
            raise UserError(
                'no class has two images with a non-empty mask: training needs pairs that share an object, '
                'add images to a class or check the masks'
            )
        raise UserError(
            'every image shares a class with all others: training needs pairs that share nothing, '
            'add images of another class'
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of triplets of a step, and of their images."""
        return self.triplets, 3

    @property
    def anchors_per_epoch(self) -> int:
        """Number of anchors, each of which is drawn once an epoch."""
        return len(self._anchors)

    @functools.cached_property
    def _classes(self) -> Int[np.ndarray, 'n objects']:
        return visible_classes(self.labels, self.visible)

    @functools.cached_property
    def _anchors(self) -> Int[np.ndarray, ' anchors']:
        """Images that have a positive and a negative."""
        # Partners depend on the classes of an image alone, and few combinations of classes occur.
        kinds, kind = np.unique(self._classes, axis=0, return_inverse=True)
        partners = np.array([self._sharing(row).sum() for row in kinds])
        usable = (partners >= 2) & (partners < len(self.labels))
        return np.flatnonzero(usable[kind]) if len(kinds) else np.empty(0, np.intp)

    def _sharing(self, classes: Int[np.ndarray, ' objects']) -> Bool[np.ndarray, ' n']:
        """Tell which images show one of `classes`."""
        found = np.zeros(len(self.labels), bool)
        for number in classes[classes != NO_CLASS]:
            found |= (self._classes == number).any(1)
        return found

    def draw(self, step: int) -> Int[np.ndarray, 'triplets 3']:
        """Draw anchors, positives and negatives of training step `step`, counted from 0."""
        random = np.random.default_rng((self.seed, _PARTNERS, step))
        anchors = self._anchors[self._places(step)]
        sharing = np.stack([self._sharing(self._classes[anchor]) for anchor in anchors])
        partners = sharing.sum(1)
        other, outside = random.integers(partners - 1), random.integers(len(self.labels) - partners)

        indices = np.empty((self.triplets, 3), np.intp)
        for row, (anchor, shares) in enumerate(zip(anchors, sharing, strict=True)):
            positives = np.flatnonzero(shares)
            # Skip the anchor itself.
            positive = positives[other[row] + (positives[other[row]] >= anchor)]
            indices[row] = anchor, positive, np.flatnonzero(~shares)[outside[row]]
        return indices

    def _places(self, step: int) -> Int[np.ndarray, ' triplets']:
        """Find the places of a step's anchors among all anchors."""
        count = self.anchors_per_epoch
        epoch, place = np.divmod(np.arange(step * self.triplets, (step + 1) * self.triplets), count)
        chosen = [
            _permutation(self.seed, int(e), count)[place[epoch == e]] for e in range(epoch[0], epoch[-1] + 1)
        ]
        return np.concatenate(chosen)


@functools.lru_cache(maxsize=4)  # a batch may span two epochs
def _permutation(seed: int, epoch: int, count: int) -> Int[np.ndarray, ' count']:
    return np.random.default_rng((seed, _ANCHORS, epoch)).permutation(count)
