"""CVAT's own XML, 'CVAT for images 1.1', whose masks its brush and eraser take up as they are.

CVAT finds the photos of a task by their names, and the task must have the labels before it imports.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

import numpy as np
from jaxtyping import Bool

from cosegnet_jax.inference.annotations.labels import label, labeled
from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.runtime.errors import UserError

_NOT_IN_XML = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]')


def write(path: Path, found: CoSegmentation) -> None:
    """Writes one file.

    Raises:
        OSError: It cannot be written.
        UserError: The name of a photo holds what XML cannot.
    """
    file = io.StringIO()
    xml = XMLGenerator(file, 'utf-8', short_empty_elements=True)
    xml.startDocument()
    _start(xml, 'annotations')
    _text(xml, 'version', '1.1')
    _labels(xml, len(found.groups))
    for number, (name, group, mask) in enumerate(labeled(found)):
        if _NOT_IN_XML.search(name):
            raise UserError(f'{name!r}: a name that XML cannot hold; rename the photo')
        height, width = mask.shape
        size = {'width': str(width), 'height': str(height)}
        _start(xml, 'image', {'id': str(number), 'name': name, **size})
        if group:
            described = {'label': label(group), 'source': 'auto', 'occluded': '0', 'z_order': '0'}
            _start(xml, 'mask', described | _runs(mask))
            xml.endElement('mask')
        xml.endElement('image')
        xml.ignorableWhitespace('\n')
    xml.endElement('annotations')
    path.write_text(file.getvalue(), encoding='utf-8')


def _labels(xml: XMLGenerator, groups: int) -> None:
    """The labels of the task: CVAT passes over them, and Datumaro asks for them."""
    for element in ('meta', 'task', 'labels'):
        _start(xml, element)
    for number in range(1, groups + 1):
        _start(xml, 'label')
        _text(xml, 'name', label(number))
        xml.endElement('label')
    for element in ('labels', 'task', 'meta'):
        xml.endElement(element)
    xml.ignorableWhitespace('\n')


def _start(xml: XMLGenerator, element: str, attributes: dict[str, str] | None = None) -> None:
    xml.startElement(element, AttributesImpl(attributes or {}))


def _text(xml: XMLGenerator, element: str, text: str) -> None:
    _start(xml, element)
    xml.characters(text)
    xml.endElement(element)


def _runs(mask: Bool[np.ndarray, 'height width']) -> dict[str, str]:
    """The box around the object, and the lengths of its runs, row by row; the first is of ground."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    changes = np.flatnonzero(np.diff(box.ravel(), prepend=False))
    runs = np.diff(changes, prepend=0, append=box.size)
    return {
        'rle': ', '.join(map(str, runs)),
        'left': str(columns[0]),
        'top': str(rows[0]),
        'width': str(box.shape[1]),
        'height': str(box.shape[0]),
    }
