"""COCO's JSON for instances, with masks as compressed run lengths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cosegnet_jax import __version__
from cosegnet_jax.inference.annotations.labels import label, labeled
from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.optional_import import optional_import

NEEDS = 'pycocotools.mask'


def write(path: Path, found: CoSegmentation) -> None:
    """Writes one file.

    Raises:
        OSError: It cannot be written.
        UserError: pycocotools is not installed.
    """
    path.write_text(files.to_json(document(found)) + '\n', encoding='utf-8')


def document(found: CoSegmentation) -> dict[str, Any]:
    """The content; groups are categories, and numbers begin at 1, for some readers take 0 for none.

    Raises:
        UserError: pycocotools is not installed.
    """
    codec = optional_import(NEEDS, 'annotations')
    images, annotations = [], []
    for number, (name, group, mask) in enumerate(labeled(found), 1):
        height, width = mask.shape
        images.append({'id': number, 'file_name': name, 'height': height, 'width': width})
        if not group:
            continue
        runs = codec.encode(np.asfortranarray(mask, np.uint8))
        annotations.append(
            {
                'id': len(annotations) + 1,
                'image_id': number,
                'category_id': group,
                'segmentation': {'size': runs['size'], 'counts': runs['counts'].decode('ascii')},
                'area': int(codec.area(runs)),
                'bbox': codec.toBbox(runs).tolist(),
                'iscrowd': 0,
            }
        )
    categories = [{'id': number, 'name': label(number)} for number in range(1, len(found.groups) + 1)]
    about = {'description': 'Objects that photos share', 'version': __version__}
    return {'info': about, 'images': images, 'annotations': annotations, 'categories': categories}
