"""Class-balanced batches: a few images of each of a few classes (P×K), in which triplets are then found.

So Schroff et al. (FaceNet, 2015, §3.2) make batches, since a negative is only worth searching for where
every anchor has several positives and many negatives.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from jaxtyping import Bool, Int

from cosegnet_jax.data.batches import visible_classes
from cosegnet_jax.runtime.errors import UserError

_BALANCED = 2  # tells this stream of random numbers from those in triplets.py


# The images that show a class, and all that are filed under it.
Members = tuple[Int[np.ndarray, ' visible'], Int[np.ndarray, ' filed']]


def classes_with_a_pair(
    labels: Int[np.ndarray, 'n objects'], visible: Bool[np.ndarray, 'n objects']
) -> list[Members]:
    """Images of each class that two or more show; of the others there is none to draw."""
    visible = visible_classes(labels, visible)
    sets = [
        (np.flatnonzero((visible == number).any(1)), np.flatnonzero((labels == number).any(1)))
        for number in range(labels.max(initial=-1) + 1)
    ]
    return [(showing, filed) for showing, filed in sets if len(showing) >= 2]


@dataclasses.dataclass(frozen=True, eq=False)
class BalancedSampler:
    """`images` images of each of `classes` classes that are drawn anew at every step.

    Two images at least of a class show it, so that it has a pair; the others are drawn evenly from all that
    are filed under the class, its outliers included. A class with fewer images than `images` repeats some.

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
        """Images of a step, each a group of its own: pairs are found among all of them."""
        return self.classes * self.images, 1

    @functools.cached_property
    def _sets(self) -> list[Members]:
        return classes_with_a_pair(self.labels, self.visible)

    def draw(self, step: int) -> Int[np.ndarray, 'images 1']:
        """Indices of the images of training step `step`, counted from 0, class by class."""
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
