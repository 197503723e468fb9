"""What a training step gets: groups of images, drawn by a sampler as a pure function of the step."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int, Int32, UInt8

from cosegnet_jax.data.examples import NO_CLASS, Examples


class Batch(NamedTuple):
    """Groups of images on host or device: a group is a triplet, or a single image.

    As in `Examples`, a mask has the value k on the pixels of class labels[..., k - 1].
    """

    # RGB, 0-255 [groups members height width 3]; or maps that frozen blocks of the encoder made of them.
    images: Any
    masks: UInt8[Any, 'groups members height width']
    labels: Int32[Any, 'groups members objects']
    numbers: Int32[Any, 'groups members']  # which image of the set it is


@runtime_checkable
class Sampler(Protocol):
    """Draws the batches of a run; nothing is kept between steps, so that a killed run goes on exactly."""

    @property
    def shape(self) -> tuple[int, int]:
        """Groups of a batch, over all processes, and images of a group."""
        ...

    def draw(self, step: int) -> Int[np.ndarray, 'groups members']:
        """Indices of the images of training step `step`, counted from 0: a pure function of the step."""
        ...


def visible_classes(
    labels: Int[np.ndarray, 'n objects'], visible: Bool[np.ndarray, 'n objects']
) -> Int[np.ndarray, 'n objects']:
    """The classes that each image shows, NO_CLASS elsewhere: two images share an object if these meet."""
    return np.where(visible, labels, NO_CLASS)


def gather(examples: Examples, indices: Int[np.ndarray, 'groups members']) -> Batch:
    """The batch of these images; only they are read, so the pixels may be memory-mapped or `Stored`."""
    images = np.empty(indices.shape + examples.images.shape[1:], np.uint8)
    masks = np.empty(indices.shape + examples.masks.shape[1:], np.uint8)
    for place, image in np.ndenumerate(indices):
        images[place], masks[place] = examples.images[image], examples.masks[image]
    return Batch(images, masks, examples.labels[indices].astype(np.int32), indices.astype(np.int32))
