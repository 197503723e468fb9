"""The folders of each visitor: photos, and what was found in them, for as long as the page is open."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cosegnet_jax.inference.collection import Photo
from cosegnet_jax.runtime.errors import UserError


class Session(NamedTuple):
    """The folders of one visitor, which need not be there."""

    own: Path  # photos, and what is found in them
    public: Path  # what may be downloaded, by whoever knows the path

    @property
    def photos(self) -> Path:
        """Folder of the photos."""
        return self.own / 'photos'

    @property
    def found(self) -> Path:
        """Folder for `prediction.predict`."""
        return self.own / 'found'

    @property
    def examples(self) -> Path:
        """Folder of drawings to try the page on."""
        return self.own / 'examples'

    @property
    def archive(self) -> Path:
        """The file that is downloaded."""
        return self.public / 'cosegnet.zip'


def uploads(folder: Path) -> Path:
    """Where Gradio puts what is uploaded, and lets everybody download who knows the path of a file."""
    return folder / 'uploads'


def of(session: str, folder: Path) -> Session:
    """The folders of the visitor whose browser calls itself `session`.

    That may be any text. Only this browser knows it, so that others cannot name the folders.
    """
    name = hashlib.sha256(session.encode('utf-8', 'replace')).hexdigest()
    return Session(folder / 'sessions' / name, uploads(folder) / name)


def take(visit: Session, given: Sequence[str]) -> list[Photo]:
    """Moves uploads to the visitor's own folder, and deletes those that are no longer given.

    Args:
        visit: The visitor.
        given: Files where Gradio has put them, those that were taken before included.

    Returns:
        The photos in their order. Their names differ, also where case does not count.

    Raises:
        UserError: A file is not there.
    """
    held, photos = set(), {}
    for path in map(Path, dict.fromkeys(given)):
        own = visit.photos / path.parent.name / path.name  # each upload has a folder (`uploads`)
        if path.is_file():
            own.parent.mkdir(parents=True, exist_ok=True)
            path.replace(own)
        elif not own.is_file():
            raise UserError(f'{path.name}: photos are deleted after a while; drop them again')
        held.add(own)
        with own.open('rb') as file:  # one that was dropped twice is one photo
            photos.setdefault((own.name, hashlib.file_digest(file, 'sha256').digest()), own)
    for other in set(visit.photos.glob('*/*')) - held:
        other.unlink()
    return list(map(Photo, _distinct([photo.name for photo in photos.values()]), photos.values()))


def leave(visit: Session) -> None:
    """Deletes all that there is of a visitor."""
    for folder in visit:
        shutil.rmtree(folder, ignore_errors=True)


def forget(folder: Path, age_s: float) -> None:
    """Deletes what was not touched for so long: of pages that are open still, and of uploads broken off."""
    for entry in (*folder.glob('sessions/*'), *uploads(folder).glob('*')):
        with contextlib.suppress(FileNotFoundError):  # somebody leaves or uploads at this moment
            if time.time() - max(path.stat().st_mtime for path in (entry, *entry.rglob('*'))) > age_s:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _distinct(names: Sequence[str]) -> list[str]:
    """Two of the name 'a.jpg' become 'a.jpg' and 'a (2).jpg'."""
    distinct, folded = [], set()
    for name in names:
        stem, suffix = os.path.splitext(name)
        free = name
        for number in itertools.count(2):
            if free.casefold() not in folded:
                break
            free = f'{stem} ({number}){suffix}'
        folded.add(free.casefold())
        distinct.append(free)
    return distinct
