"""Labelme's JSON, a file for each photo, with outlines whose points can be dragged.

An outline goes through the middle of the pixels at the object's edge, and Labelme counts these pixels in, so
that it fills in the mask exactly. Its polygons have no holes: a part of an object that has one is a shape of
type 'mask', which Labelme shows, moves and deletes, but does not reshape.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool
from PIL import Image

from cosegnet_jax.inference import results_folder
from cosegnet_jax.inference.annotations.labels import Labeled, label
from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.optional_import import optional_import

NEEDS = 'cv2'
_VERSION = '5.5.0'  # of Labelme, whose format this is; since 5.3 there are shapes of type 'mask'


def names(found: CoSegmentation) -> list[str]:
    """The file of each photo, such as 'cow/a.json' for 'cow/a.jpg'."""
    return results_folder.renamed(found.names, '.json')


def image_path(path: Path, photo: Path) -> str:
    """How a file at `path` leads to its photo."""
    return Path(os.path.relpath(photo, path.parent)).as_posix()


def write(path: Path, photo: Labeled, image_path: str) -> None:
    """Writes the file of one photo.

    Args:
        path: Where to.
        photo: Its group and its mask.
        image_path: From where the file will be to the photo.

    Raises:
        OSError: It cannot be written.
        UserError: OpenCV is not installed.
    """
    _, group, mask = photo
    height, width = mask.shape
    document = {
        'version': _VERSION,
        'flags': {},
        'shapes': list(_shapes(mask, group)) if group else [],
        'imagePath': image_path,
        'imageData': None,
        'imageHeight': height,
        'imageWidth': width,
    }
    path.write_text(files.to_json(document) + '\n', encoding='utf-8')


def _shapes(mask: Bool[np.ndarray, 'height width'], group: int) -> Iterator[dict[str, Any]]:
    """One shape for each part of the mask; pixels that touch at a corner are of one part."""
    cv2 = optional_import(NEEDS, 'annotations')
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    for number in range(1, count):
        left, top, width, height, _ = boxes[number].tolist()
        part = parts[top : top + height, left : left + width] == number
        outlines, _ = cv2.findContours(
            part.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=(left, top)
        )
        shape = {'label': label(group), 'group_id': group, 'description': '', 'flags': {}, 'mask': None}
        if len(outlines) == 1:  # else the others are those of holes
            points = outlines[0][:, 0].tolist()
            points += points[:1] * (3 - len(points))  # Labelme asks for three, also around a single pixel
            yield {**shape, 'points': points, 'shape_type': 'polygon'}
        else:
            corners = [[left, top], [left + width - 1, top + height - 1]]
            yield {**shape, 'points': corners, 'shape_type': 'mask', 'mask': _png(part)}


def _png(part: Bool[np.ndarray, 'height width']) -> str:
    file = io.BytesIO()
    Image.fromarray(part.astype(np.uint8) * 255).save(file, 'PNG')
    return base64.b64encode(file.getvalue()).decode()
