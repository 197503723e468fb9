"""The annotation formats by name, as the command line has them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cosegnet_jax.inference.annotations import coco, cvat, labelme
from cosegnet_jax.inference.annotations.labels import labeled
from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.runtime.errors import UserError, suggest
from cosegnet_jax.runtime.optional_import import optional_import


class AnnotationFile(NamedTuple):
    """One file that a tool opens."""

    name: str  # in the folder of annotations, OUT/annotations
    photo: int | None  # number of the photo that it is of; None if of all
    write: Callable[[Path], None]


class Format(NamedTuple):
    """How a tool wants it."""

    name: str  # file or folder, in the folder of annotations
    # What there is to write to OUT/annotations, which the second argument is, with the files of the photos.
    files: Callable[[CoSegmentation, Path, Sequence[Path]], Iterator[AnnotationFile]]
    needs: str | None  # module of the extra 'annotations'


def _coco(found: CoSegmentation, folder: Path, photos: Sequence[Path]) -> Iterator[AnnotationFile]:
    yield AnnotationFile('coco.json', None, functools.partial(coco.write, found=found))


def _labelme(found: CoSegmentation, folder: Path, photos: Sequence[Path]) -> Iterator[AnnotationFile]:
    for number, (name, photo) in enumerate(zip(labelme.names(found), labeled(found), strict=True)):
        image_path = labelme.image_path(folder / 'labelme' / name, photos[number])
        write = functools.partial(labelme.write, photo=photo, image_path=image_path)
        yield AnnotationFile(f'labelme/{name}', number, write)


def _cvat(found: CoSegmentation, folder: Path, photos: Sequence[Path]) -> Iterator[AnnotationFile]:
    yield AnnotationFile('cvat.xml', None, functools.partial(cvat.write, found=found))


FORMATS = {
    'coco': Format('coco.json', _coco, coco.NEEDS),
    'labelme': Format('labelme', _labelme, labelme.NEEDS),
    'cvat': Format('cvat.xml', _cvat, None),
}


def find_formats(names: Sequence[str]) -> list[Format]:
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
