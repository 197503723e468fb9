"""The annotation formats by name, as the command line has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from cosegnet_jax.inference.annotations import coco, cvat, labelme
from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.runtime.errors import UserError, suggest
from cosegnet_jax.runtime.optional_import import optional_import


class Format(NamedTuple):
    """How a tool wants it."""

    name: str  # in the folder of annotations
    write: Callable[[Path, CoSegmentation, Sequence[Path]], None]  # to a path, with the files of the photos
    needs: str | None  # module of the extra 'annotations'


FORMATS = {
    'coco': Format('coco.json', lambda path, found, photos: coco.write(path, found), coco.NEEDS),
    'labelme': Format('labelme', labelme.write, labelme.NEEDS),
    'cvat': Format('cvat.xml', lambda path, found, photos: cvat.write(path, found), None),
}


def chosen(names: Sequence[str]) -> list[Format]:
    """The formats of these names, which can be written: better to know before hours of looking at photos.

    Raises:
        UserError: There is no such format, or what it needs is not installed.
    """
    formats = []
    for name in names:
        if name not in FORMATS:
            raise UserError(f'--annotations={name}: no such format; {suggest(name, FORMATS)}')
        formats.append(FORMATS[name])
        if formats[-1].needs:
            optional_import(formats[-1].needs, 'annotations')
    return formats
