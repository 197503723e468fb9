"""What is found in a collection of photos."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from PIL import Image
from scipy import sparse

from cosegnet_jax.runtime.on_demand import OnDemand

MASK_THRESHOLD = 0.5  # object from this probability on, where nothing else is said


class Described(NamedTuple):
    """One photo as the network sees it: everything that is needed of it later."""

    size: tuple[int, int]  # height and width of the photo, upright
    soft_mask: UInt8[np.ndarray, 'side side']  # probability of object, 255 for 1, at the network's size
    embedding: Float32[np.ndarray, ' 64']
    blank: str = ''  # says that the photo is nearly black or white throughout; '' if it shows something

    def full_size(self) -> Float32[np.ndarray, 'height width']:
        """The soft mask at the photo's own size, enlarged bilinearly; 0 to 1."""
        small = Image.fromarray(self.soft_mask.astype(np.float32))
        full = np.array(small.resize((self.size[1], self.size[0]), Image.Resampling.BILINEAR))
        full /= 255
        return full


@dataclasses.dataclass(frozen=True, eq=False)
class CoSegmentation:
    """Masks, decisions and groups of n photos, in the order in which they were given.

    Masks and photos have the photo's own size, upright. They are made each time they are asked for, so that a
    thousand large photos take no more memory than one.
    """

    names: tuple[str, ...]
    masks: Sequence[Bool[np.ndarray, '_ _']]  # after the gate: that of an outlier is empty
    soft_masks: Sequence[Float32[np.ndarray, '_ _']]  # probability of object, before the gate
    # That two photos share an object; symmetric, diagonal 1. Sparse where only some pairs were decided.
    probabilities: Float32[np.ndarray, 'n n'] | sparse.csr_array
    groups: list[list[int]]  # see `grouping.Groups`
    outliers: list[int]
    embeddings: Float32[np.ndarray, 'n 64']
    photos: Sequence[Image.Image]  # RGB
    mask_threshold: float = MASK_THRESHOLD  # of the masks

    def cutouts(self) -> Sequence[Image.Image]:
        """The photos with their masks as transparency, RGBA; made each time they are asked for."""

        def cut_out(index: int) -> Image.Image:
            photo = self.photos[index].copy()
            photo.putalpha(Image.fromarray(self.masks[index].astype(np.uint8) * 255))
            return photo

        return OnDemand(cut_out, range(len(self.names)))
