"""Class-balanced batches: K images of each of P classes, in which triplets are mined.

So every anchor has several positives and many negatives (Schroff et al., FaceNet, 2015, §3.2).
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from jaxtyping import Bool, Int

from cosegnet_jax.data.batches import visible_classes
from cosegnet_jax.runtime.errors import UserError

_BALANCED = 2  # tells this stream of random numbers from those in triplets.py


# Images that show a class, and all images that are filed under it.
Members = tuple[Int[np.ndarray, ' visible'], Int[np.ndarray, ' filed']]


def classes_with_a_pair(
    labels: Int[np.ndarray, 'n objects'], visible: Bool[np.ndarray, 'n objects']
) -> list[Members]:
    """List the images of each class that two or more images show."""
    visible = visible_classes(labels, visible)
    sets = [
        (np.flatnonzero((visible == number).any(1)), np.flatnonzero((labels == number).any(1)))
        for number in range(labels.max(initial=-1) + 1)
    ]
    return [(showing, filed) for showing, filed in sets if len(showing) >= 2]


@dataclasses.dataclass(frozen=True, eq=False)
class BalancedSampler:
    """Draws `classes` classes at every step, and `images` images of each.

    At least two images show the class, so that there is a pair. The others are drawn evenly from all that are
    filed under it, outliers included. A class with fewer images repeats some.

    Raises:
        UserError: Fewer than `classes` classes have two images that show them.
    """

    labels: Int[np.ndarray, 'n objects']
    visible: Bool[np.ndarray, 'n objects']
    seed: int  # >= 0
    classes: int  # P, of a step
    images: int  # K, of a class; 2 or more

    def __post_init__(self):
        if len(self._sets) < self.classes:
            raise UserError(
                f'config.train.batch_classes={self.classes}: {len(self._sets)} classes have two images with '
                f'a non-empty mask to train on; {"lower it or " if len(self._sets) >= 2 else ""}add images'
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of images of a step; each is a group of its own, since pairs are mined among all."""
        return self.classes * self.images, 1

    @functools.cached_property
    def _sets(self) -> list[Members]:
        return classes_with_a_pair(self.labels, self.visible)

    def draw(self, step: int) -> Int[np.ndarray, 'images 1']:
        """Draw the indices of the images of training step `step`, counted from 0, class by class."""
        random = np.random.default_rng((self.seed, _BALANCED, step))
        chosen = random.permutation(len(self._sets))[: self.classes]
        sets = [self._sets[number] for number in chosen]
        return np.concatenate([self._members(showing, filed, random) for showing, filed in sets])[:, None]

    def _members(
        self,
        showing: Int[np.ndarray, ' visible'],
        filed: Int[np.ndarray, ' filed'],
        random: np.random.Generator,
    ) -> Int[np.ndarray, ' images']:
        pair = random.choice(showing, 2, replace=False)
        others = random.permutation(np.setdiff1d(filed, pair))
        everyone = np.concatenate([pair, others])
        return np.resize(everyone, self.images)
