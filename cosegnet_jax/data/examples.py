"""A labelled image set in memory, at the network's size."""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Int, UInt8


@dataclasses.dataclass(frozen=True)
class Examples:
    """Images, object masks and one class each; `name` is what results call the data set.

    Image `i` has the class `classes[labels[i]]`. Classes only decide which images form a pair with a
    common object; the network never sees them. A mask may be empty: such an image is an outlier of
    its class folder and shares nothing with anything.
    """

    name: str
    classes: tuple[str, ...]
    filenames: tuple[str, ...]  # '<class>/<stem>', unique
    labels: Int[np.ndarray, ' n']
    images: UInt8[np.ndarray, 'n height width 3']  # RGB, 0-255
    masks: UInt8[np.ndarray, 'n height width']  # 0 background, 1 object

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def nbytes(self) -> int:
        """Bytes that the pixels take in memory."""
        return self.images.nbytes + self.masks.nbytes

    def subset(self, indices: Int[np.ndarray, ' m']) -> Examples:
        """The examples at `indices`, in that order, under the same class list."""
        return dataclasses.replace(
            self,
            filenames=tuple(self.filenames[i] for i in indices),
            labels=self.labels[indices],
            images=self.images[indices],
            masks=self.masks[indices],
        )
