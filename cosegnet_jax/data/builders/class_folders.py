"""Sets that come as photos in class folders, each with a mask of what its class shows."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import UInt8

from cosegnet_jax.data import folder
from cosegnet_jax.data.builders.base import CosegBuilder, Row, Survey, check_all
from cosegnet_jax.data.files import photos
from cosegnet_jax.data.files.remarks import Doubts
from cosegnet_jax.data.masks.mask_rules import MaskRules


class ClassFolders(CosegBuilder, skip_registration=True):
    """Photos and masks that the user laid out in `manual_dir`."""

    def listing(self, root: Path) -> folder.Listing:
        """List the pairs of photo and mask by class: images/<class>/* and masks/<class>/* by default.

        Raises:
            UserError: A folder is missing.
        """
        return folder.listing(root / 'images', root / 'masks')

    def survey(self, dl_manager: tfds.download.DownloadManager) -> Survey:
        """Check every photo and mask of `listing`."""
        classes, problems, left_out = self.listing(Path(dl_manager.manual_dir))
        checks = [functools.partial(_check, photo, self.rules) for photo in folder.distinct(classes)]
        rows, rejected, _ = check_all(checks)
        bare = classes.keys() - {name for row in rows for name in row.classes}
        empty = [f'{name}: a class without an image that can be used' for name in sorted(bare)]
        return Survey(rows, [*problems, *rejected, *empty], left_out)


def _check(photo: folder.Photo, rules: MaskRules) -> Row:
    pixels, mask, turn_assumed = photo.read(rules)
    values = tuple(range(1, len(photo.classes) + 1))
    shares = tuple(float((mask == value).mean()) for value in values)
    doubts = Doubts(turn_assumed, photos.find_blank(pixels))
    return Row(
        photo.filename, photo.classes, values, shares, functools.partial(_encode, photo, rules), doubts
    )


def _encode(photo: folder.Photo, rules: MaskRules) -> tuple[bytes, UInt8[np.ndarray, 'height width']]:
    found = photo.read(rules)
    return photos.encode_photo(photo.pairs[0].photo, found.photo), found.mask
