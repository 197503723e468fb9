"""The photos that a command is given: a folder with all that is in it, or several files and folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cosegnet_jax.data.files.image_files import SUFFIXES
from cosegnet_jax.inference import cache
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path


class Photo(NamedTuple):
    """One file of a collection."""

    name: str  # path from the collection's own folder, with '/' between folders; never leads out of it
    path: Path


def find(parts: Sequence[str]) -> list[Photo]:
    """Lists the photos, sorted by name; none is opened.

    In folders, and in folders inside them, photos are told by their suffix. What starts with a dot is passed
    over, and so are links to folders, and folders that this command has written. A file that is named itself
    is taken whatever its suffix.

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
    paths = {path for entry in entries for path in _files(Path(entry))}
    found = sorted(Photo(path.relative_to(root).as_posix(), path) for path in paths)
    if len(found) < 2:
        raise UserError(
            f'{" ".join(parts)}: {"only one" if found else "no"} photo in it, and a pair takes two; '
            f'photos are files such as .jpg, .png, .webp or .tif'
        )
    return found


def _files(entry: Path) -> Iterator[Path]:
    if not entry.is_dir():
        yield entry
        return
    for here, folders, files in os.walk(entry, onerror=_refuse):
        inside = [Path(here, name) for name in folders if not name.startswith('.')]
        folders[:] = [path.name for path in inside if not cache.is_output(path)]
        for path in (Path(here, name) for name in files if not name.startswith('.')):
            if path.suffix.lower() in SUFFIXES:
                yield path


def _refuse(error: OSError) -> None:
    raise UserError(f'{error.filename}: {error.strerror}; give permission to list it, or move it away')
