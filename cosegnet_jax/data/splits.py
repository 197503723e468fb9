"""Random 3:1:1 splits into train, validation and test, class by class (the paper's §4.1)."""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Int

from cosegnet_jax.errors import UserError

_PAIR = 2  # images: fewer of a class than that form no pair with a common object


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Indices of the images of each part, ascending; every image is in exactly one part."""

    train: Int[np.ndarray, ' n_train']
    validation: Int[np.ndarray, ' n_validation']
    test: Int[np.ndarray, ' n_test']


def stratified(
    labels: Int[np.ndarray, ' n'], seed: int, index: int = 0, ratios: tuple[int, int, int] = (3, 1, 1)
) -> Split:
    """Split number `index` of the random splits that `seed` stands for, in `ratios` within each class.

    A part has either none or at least two images of a class, since one image alone forms no pair:
    training always has two, then the test part is served, then the validation part. At 3:1:1 a class of
    2 or 3 images is all training, one of 4 or 5 has two in test, one of 6 or more has two or more
    in every part.

    Each class is drawn from a seed of its own: images that join or leave one class move no image of
    another.

    Args:
        labels: Class of each image.
        seed: 0 or more.
        index: Which of the splits, from 0: figures over several splits use 0 to k - 1.
        ratios: Shares of train, validation and test.

    Raises:
        UserError: A class has a single image.
    """
    parts = ([], [], [])
    for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
        if count < _PAIR:
            raise UserError(
                f'class number {label} has one image, and a pair takes two: add images or remove the class'
            )
        random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index, int(label))))
        drawn = random.permutation(np.flatnonzero(labels == label))
        ends = np.cumsum(_sizes(int(count), ratios))
        for part, members in zip(parts, np.split(drawn, ends[:-1]), strict=True):
            part.append(members)
    empty = np.empty(0, np.intp)
    return Split(*(np.sort(np.concatenate([empty, *part])) for part in parts))


def _sizes(count: int, ratios: tuple[int, int, int]) -> tuple[int, int, int]:
    """Images of a class of `count` in train, validation and test."""
    spare = count - _PAIR
    held_out = []
    for ratio in (ratios[2], ratios[1]):
        share = max(_PAIR, round(count * ratio / sum(ratios))) if ratio else 0
        share = min(share, spare)
        share = share if share >= _PAIR else 0
        spare -= share
        held_out.append(share)
    test, validation = held_out
    return spare + _PAIR, validation, test
