"""Batches: groups of images that a sampler draws as a pure function of the step."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int, Int32, UInt8

from cosegnet_jax.data.examples import NO_CLASS, Examples


class Batch(NamedTuple):
    """Groups of images on host or device; a group is a triplet or a single image.

    As in `Examples`, a mask has the value k on the pixels of class labels[..., k - 1].
    """

    # RGB, 0-255 [groups members height width 3]; or maps that frozen blocks of the encoder made of them.
    images: Any
    masks: UInt8[Any, 'groups members height width']
    labels: Int32[Any, 'groups members objects']
    numbers: Int32[Any, 'groups members']  # of the images in the data set


@runtime_checkable
class Sampler(Protocol):
    """Draws the batches of a run. It keeps no state, so a killed run resumes with the same batches."""

    @property
    def shape(self) -> tuple[int, int]:
        """Number of groups of a batch, over all processes, and of images of a group."""
        ...

    def draw(self, step: int) -> Int[np.ndarray, 'groups members']:
        """Draw the indices of the images of training step `step`, counted from 0."""
        ...


def visible_classes(
    labels: Int[np.ndarray, 'n objects'], visible: Bool[np.ndarray, 'n objects']
) -> Int[np.ndarray, 'n objects']:
    """Return the classes that each image shows, NO_CLASS elsewhere; common classes are shared objects."""
    return np.where(visible, labels, NO_CLASS)


def truth_in_pair(
    objects: UInt8[np.ndarray, 'p h w'], common: Bool[np.ndarray, 'p objects']
) -> Bool[np.ndarray, 'p h w']:
    """Mark the pixels of the objects that images share with their partners.

    Args:
        objects: masks of the images, k on their object number k.
        common: which of their objects the partner has too.
    """
    background = np.zeros((len(common), 1), bool)
    lookup = np.concatenate([background, common], axis=1)
    return np.take_along_axis(lookup, objects.reshape(len(objects), -1), axis=1).reshape(objects.shape)


def gather(examples: Examples, indices: Int[np.ndarray, 'groups members']) -> Batch:
    """Read the images of a batch. Of a set that is `Stored`, only these are read."""
    images = np.empty(indices.shape + examples.images.shape[1:], np.uint8)
    masks = np.empty(indices.shape + examples.masks.shape[1:], np.uint8)
    for place, image in np.ndenumerate(indices):
        images[place], masks[place] = examples.images[image], examples.masks[image]
    return Batch(images, masks, examples.labels[indices].astype(np.int32), indices.astype(np.int32))
