"""A labeled image set at the network's size."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int, UInt8

from cosegnet_jax.data.stored_images import Stored, in_threads

NO_CLASS = -1  # fills the rows of `Examples.labels`


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """Images, object masks and classes of a data set.

    An image has up to `objects` classes; in most sets it has one. Row i of `labels` lists the classes of
    image i, and its mask has the value k on the pixels of class `labels[i, k - 1]`. Classes only tell which
    objects two images share; the network never sees them. An image that does not show a class that it is
    filed under (`visible` is false) is an outlier of that class.
    """

    name: str  # of the data set, in results
    classes: tuple[str, ...]
    filenames: tuple[str, ...]  # '<class>/<stem>', unique
    labels: Int[np.ndarray, 'n objects']  # numbers into `classes`, then NO_CLASS
    visible: Bool[np.ndarray, 'n objects']  # whether a mask has the value k anywhere
    images: UInt8[np.ndarray, 'n height width 3'] | Stored  # RGB, 0-255
    masks: UInt8[np.ndarray, 'n height width'] | Stored  # 0 background, k an object of class labels[i, k - 1]
    remarks: tuple[str, ...] = ()  # doubts about the files

    @classmethod
    def in_memory(
        cls,
        name: str,
        classes: tuple[str, ...],
        filenames: tuple[str, ...],
        labels: Int[np.ndarray, ' n'] | Int[np.ndarray, 'n objects'],
        images: UInt8[np.ndarray, 'n height width 3'],
        masks: UInt8[np.ndarray, 'n height width'],
    ) -> Examples:
        """Make a set of arrays; with one class an image, labels may be one row of numbers."""
        labels = labels.reshape(len(images), -1) if len(images) else labels.reshape(0, 1)
        visible = [(masks == k + 1).any((1, 2)) for k in range(labels.shape[1])]
        return cls(name, classes, filenames, labels, np.stack(visible, 1), images, masks)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def nbytes(self) -> int:
        """Bytes of the decoded pixels."""
        return self.images.nbytes + self.masks.nbytes

    def decoded(self) -> Examples:
        """Read all pixels into memory."""
        images, masks = np.empty(self.images.shape, np.uint8), np.empty(self.masks.shape, np.uint8)

        def put(index: int) -> None:  # image and mask in turn: each record is read once
            images[index], masks[index] = self.images[index], self.masks[index]

        in_threads(put, len(self))
        return dataclasses.replace(self, images=images, masks=masks)

    def batches(self, size: int) -> list[slice]:
        """Divide the rows, in order, into slices of at most `size`."""
        return [slice(start, start + size) for start in range(0, len(self), size)]

    def photos(self, size: int) -> Iterator[UInt8[np.ndarray, '_ height width 3']]:
        """Read the photos in order, at most `size` at a time."""
        return (np.asarray(self.images[rows]) for rows in self.batches(size))

    def subset(self, indices: Int[np.ndarray, ' m']) -> Examples:
        """Select the examples at `indices`, in that order, under the same class list."""
        return dataclasses.replace(
            self,
            filenames=tuple(self.filenames[i] for i in indices),
            labels=self.labels[indices],
            visible=self.visible[indices],
            images=self.images[indices],
            masks=self.masks[indices],
        )
