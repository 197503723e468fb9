"""The photos that a command is given: a folder with all that is in it, or several files and folders."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cosegnet_jax.data.files.image_files import RAW, SUFFIXES
from cosegnet_jax.data.files.left_out import is_left_out
from cosegnet_jax.inference import cache
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path

_PHOTOS = SUFFIXES | RAW
# Results that were unpacked or copied among the photos: where there are masks beside pairs.json, folders of
# these names hold no further photos.
_RESULTS = frozenset({'masks', 'cutouts', 'groups', 'annotations', 'set_aside'})


class Photo(NamedTuple):
    """One file of a collection."""

    name: str  # path from the collection's own folder, with '/' between folders; never leads out of it
    path: Path


class Collection(NamedTuple):
    """The files that are taken for photos, and what is not."""

    photos: list[Photo]  # sorted by name; RAW files of cameras too, so that they are skipped by name
    left_out: Counter[str]  # files in folders that hold no photos of anybody, by the folder's name


def find(parts: Sequence[str]) -> Collection:
    """Lists the photos; none is opened.

    In folders, and in folders inside them, photos are told by their suffix. What starts with a dot is passed
    over, and so are links to folders, folders that systems make (`data.left_out`), and folders that this
    command has written, also where they are copies, or unpacked from the zip of `cosegnet serve`. A file
    that is named itself is taken whatever its suffix.

    Args:
        parts: Files and folders. If there are several, names begin at the folder that holds them all.

    Raises:
        UserError: Something is not there or cannot be listed, or there are fewer than two photos.
    """
    parts = [part and str(local_path(part)) for part in parts]
    for part in parts:
        if not os.path.exists(part):
            raise UserError(f'{part}: no such file or folder; name a folder of photos')
    entries = [os.path.abspath(part) for part in parts]
    folders = [entry if os.path.isdir(entry) else os.path.dirname(entry) for entry in entries]
    root = os.path.commonpath(folders)
    left_out: Counter[str] = Counter()
    paths = {path for entry in entries for path in _files(Path(entry), left_out)}
    found = sorted(Photo(path.relative_to(root).as_posix(), path) for path in paths)
    readable = sum(photo.path.suffix.lower() not in RAW for photo in found)
    if readable < 2:
        raise UserError(
            f'{" ".join(parts)}: {"only one" if readable else "no"} photo in it, and a pair takes two; '
            f'photos are files such as .jpg, .png, .webp or .tif'
        )
    return Collection(found, left_out)


def _files(entry: Path, left_out: Counter[str]) -> Iterator[Path]:
    if not entry.is_dir():
        yield entry
        return
    for here, folders, files in os.walk(entry, onerror=_refuse):
        results = _RESULTS if 'pairs.json' in files and 'masks' in folders else frozenset()
        for name in [name for name in folders if is_left_out(name) or name in results]:
            left_out[name] += sum(map(_count, os.walk(Path(here, name))))
            folders.remove(name)
        inside = [Path(here, name) for name in folders if not name.startswith('.')]
        folders[:] = [path.name for path in inside if not cache.is_output(path)]
        for path in (Path(here, name) for name in files if not name.startswith('.')):
            if path.suffix.lower() in _PHOTOS:
                yield path


def _count(walked: tuple[str, list[str], list[str]]) -> int:
    return sum(os.path.splitext(name)[1].lower() in _PHOTOS for name in walked[2])


def _refuse(error: OSError) -> None:
    raise UserError(f'{error.filename}: {error.strerror}; give permission to list it, or move it away')
