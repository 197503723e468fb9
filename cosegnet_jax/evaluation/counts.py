"""Pixel counts of masks: all that scoring needs of an image."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int, UInt8

from cosegnet_jax.data.examples import Examples


@dataclasses.dataclass(frozen=True, eq=False)
class Counts:
    """Counts of n images; `true` and `hits` have a column for each object of an image, as its labels do."""

    pixels: int  # of one image
    predicted: Int[np.ndarray, ' n']  # in the mask, before the gate
    true: Int[np.ndarray, 'n objects']  # of the true object
    hits: Int[np.ndarray, 'n objects']  # in both

    def __getitem__(self, rows: Int[np.ndarray, ' m']) -> Counts:
        return Counts(self.pixels, self.predicted[rows], self.true[rows], self.hits[rows])


def count(
    masks: Bool[np.ndarray, 'n height width'], truth: UInt8[np.ndarray, 'n height width'], objects: int
) -> Counts:
    """Count the pixels of thresholded masks; `truth` has the value k on the pixels of object k."""
    flat, true_flat = (x.reshape(len(x), masks.shape[1] * masks.shape[2]) for x in (masks, truth))
    of_objects = [true_flat == k + 1 for k in range(objects)]
    return Counts(
        pixels=flat.shape[1],
        predicted=np.count_nonzero(flat, axis=1),
        true=np.stack([np.count_nonzero(pixels, axis=1) for pixels in of_objects], axis=1),
        hits=np.stack([np.count_nonzero(pixels & flat, axis=1) for pixels in of_objects], axis=1),
    )


def count_baselines(examples: Examples, size: int) -> dict[str, Counts]:
    """Count the pixels of two masks that look at no image, reading `size` masks at a time.

    `all_foreground` marks every pixel. `center_box` marks the box in the middle with half the image's width
    and half its height (on PASCAL-VOC co-segmentation, larger boxes score lower).
    """
    height, width = examples.masks.shape[1:]
    box = np.zeros((height, width), dtype=bool)
    box[height // 4 : height - height // 4, width // 4 : width - width // 4] = True
    masks = {'all_foreground': np.ones_like(box), 'center_box': box}
    counts = {name: [] for name in masks}
    for rows in examples.batches(size):
        truth = np.asarray(examples.masks[rows])
        for name, mask in masks.items():
            marked = np.broadcast_to(mask, truth.shape)
            counts[name].append(count(marked, truth, examples.labels.shape[1]))
    return {name: concatenate(parts) for name, parts in counts.items()}


def concatenate(parts: Sequence[Counts]) -> Counts:
    """Joins the counts of several batches of images of one size, in order."""
    fields = ('predicted', 'true', 'hits')
    joined = {field: np.concatenate([getattr(part, field) for part in parts]) for field in fields}
    return Counts(pixels=parts[0].pixels, **joined)
