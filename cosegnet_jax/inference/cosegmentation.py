"""What is found in a collection of photos."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int8, UInt8
from PIL import Image
from scipy import sparse

from cosegnet_jax.runtime.on_demand import OnDemand

MASK_THRESHOLD = 0.5  # object from this probability on, where nothing else is said
SOFTNESS = 0.2  # probability to each side of the threshold in which a cut-out turns transparent


NOWHERE = np.zeros((0, 0, 0), np.int8)


class Described(NamedTuple):
    """One photo as the network sees it: everything that is needed of it later."""

    size: tuple[int, int]  # height and width of the photo, upright
    soft_mask: UInt8[np.ndarray, 'side side']  # probability of object, 255 for 1, at the network's size
    embedding: Float32[np.ndarray, ' 64']
    blank: str = ''  # says that the photo is nearly black or white throughout; '' if it shows something
    # From `partners.pack`; of no size where masks do not depend on the partner.
    places: Int8[np.ndarray, 'h w numbers'] = NOWHERE


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
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
    threshold: float = 0.5  # of the groups

    def cutouts(self) -> Sequence[Image.Image]:
        """The photos with soft masks as transparency, RGBA; made each time they are asked for."""
        return OnDemand(self._cutout, range(len(self.names)))

    def _cutout(self, index: int) -> Image.Image:
        return cut_out(self.photos[index], self.soft_masks[index], self.masks[index], self.mask_threshold)

    def save(self, folder: str | os.PathLike) -> Path:
        """Writes all that `cosegnet predict` writes of them.

        Args:
            folder: New or empty folder: masks/, cutouts/, groups/, groups.csv, pairs.json and report.html.

        Returns:
            The report.

        Raises:
            UserError: It holds files, or cannot be written.
        """
        from cosegnet_jax.inference.saving import save

        return save(self, folder)

    def report(self) -> str:
        """The page of `cosegnet predict` as HTML that needs nothing beside it."""
        from cosegnet_jax.inference.pages.report_page import report

        return report(self, threshold=self.threshold, title=f'{len(self.names)} photos')

    def annotations(self) -> dict[str, Any]:
        """The masks as a COCO document; groups are categories.

        Raises:
            UserError: pycocotools is not installed.
        """
        from cosegnet_jax.inference.annotations import coco

        return coco.document(self)

    def __repr__(self) -> str:
        sizes = ', '.join(str(len(members)) for members in self.groups)
        return (
            f'CoSegmentation({len(self.names)} photos: {len(self.groups)} groups'
            f'{f" of {sizes}" if sizes else ""}, {len(self.outliers)} outliers)'
        )

    def _repr_html_(self) -> str:
        from cosegnet_jax.inference.pages.thumbnails import thumbnails

        return thumbnails(self)


def cut_out(
    photo: Image.Image,
    soft_mask: Float32[np.ndarray, 'height width'],
    mask: Bool[np.ndarray, 'height width'],
    threshold: float,
) -> Image.Image:
    """A photo as RGBA: opaque in the object, transparent outside, half of both at its edge.

    What is transparent is black: it takes less space, and nothing is hidden in it.
    """
    if not mask.any():  # as that of an outlier
        return Image.new('RGBA', photo.size)
    alpha = np.clip((soft_mask - threshold) / (2 * SOFTNESS) + 0.5, 0, 1)
    return _with_alpha(photo, Image.fromarray(np.round(alpha * 255).astype(np.uint8)))


def _with_alpha(photo: Image.Image, alpha: Image.Image) -> Image.Image:
    seen = alpha.point(lambda level: 255 if level else 0)
    cut = Image.composite(photo, Image.new('RGB', photo.size), seen)
    cut.putalpha(alpha)
    return cut
