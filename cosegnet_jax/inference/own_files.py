"""What this program has written into a results folder, told from what a person has changed in it.

OUT/.described/written.jsonl has a line for each file: its path inside OUT, the hash of what was written, what
it was made of, and the photo that it is of. A file whose hash is none of those written under its path was
changed by a person. It stays while it is of the same photo; else it is moved to OUT/set_aside.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from cosegnet_jax.inference import cache
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError

ASIDE = 'set_aside'  # folder in OUT


@dataclasses.dataclass(frozen=True)
class Entry:
    """One file as it was written."""

    path: str  # inside OUT
    sha256: str
    made_of: str  # what the content depends on; '' where that is not told
    photo: str  # key of the photo that it is of; '' of all together


@dataclasses.dataclass
class OwnFiles:
    """The files of one results folder, from `read`."""

    out: Path
    entries: dict[str, list[Entry]]  # by path, in the order of writing
    kept: list[str] = dataclasses.field(default_factory=list)  # changed by a person, and left
    set_aside: list[str] = dataclasses.field(default_factory=list)  # changed by a person, and moved
    removed: list[str] = dataclasses.field(default_factory=list)  # of photos that are there no longer

    def place(
        self, name: str, write: Callable[[Path], object], *, photo: str = '', made_of: str = ''
    ) -> None:
        """Writes a file, unless it is up to date or a person has changed it.

        Args:
            name: Path inside OUT.
            write: Writes the content to a path; not called where nothing is to be written.
            photo: Key of the photo that the file is of. Without one, what a person changed is set aside.
            made_of: What the content depends on. Without it, the file is written anew.

        Raises:
            UserError: It cannot be written.
        """
        path, known = self.out / name, self.entries.setdefault(name, [])
        found = _sha256(path)
        same = next((entry for entry in reversed(known) if entry.sha256 == found), None)
        if same and made_of and (same.made_of, same.photo) == (made_of, photo):
            return
        if found and not same:
            if photo and (not known or known[-1].photo == photo):
                self.kept.append(name)
                return
            self._move_aside(name)
        with files.write_atomically(path) as unfinished:
            write(unfinished)
            entry = Entry(name, _sha256(unfinished) or '', made_of, photo)
            self._note(entry)  # first, so that a program killed in between knows the file for its own
        known.append(entry)

    def withdraw(self, name: str, *, photo: str = '') -> None:
        """Removes an own file that is not to be there for now; one that a person changed is as for `place`.

        Args:
            name: Path inside OUT.
            photo: Key of the photo that it would be of. Without one, what a person changed is set aside.

        Raises:
            UserError: It cannot be moved or removed.
        """
        known, found = self.entries.get(name, []), _sha256(self.out / name)
        if found in {entry.sha256 for entry in known}:
            _remove(self.out, name)
        elif found and photo and (not known or known[-1].photo == photo):
            self.kept.append(name)
            return
        elif found:
            self._move_aside(name)
        self.entries.pop(name, None)

    def finish(self, listed: Collection[str]) -> None:
        """Removes own files that are neither of `listed` nor kept; those that a person changed are set aside.

        Raises:
            UserError: A file cannot be moved or removed.
        """
        for name in sorted(self.entries.keys() - set(listed) - set(self.kept)):
            found = _sha256(self.out / name)
            if found and found not in {entry.sha256 for entry in self.entries[name]}:
                self._move_aside(name)
            elif found:
                _remove(self.out, name)
                self.removed.append(name)
            del self.entries[name]
        last = [known[-1] for known in self.entries.values() if known]
        with files.write_atomically(_ledger(self.out)) as unfinished:
            unfinished.write_text(''.join(map(_line, last)), encoding='utf-8')

    def summary(self) -> list[str]:
        """What a person should know, a line for each kind."""
        kinds = (
            ('left as a person has changed them', self.kept),
            (f'moved to {ASIDE}, as they are of other photos or of all', self.set_aside),
            ('removed, as their photos are gone', self.removed),
        )
        return [f'{len(names)} file(s) {what}: {_few(names)}' for what, names in kinds if names]

    def _move_aside(self, name: str) -> None:
        target = free = self.out / ASIDE / name
        number = 1
        while os.path.lexists(free):
            number += 1
            free = target.with_name(f'{target.stem} ({number}){target.suffix}')
        try:
            free.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(self.out / name, free)
        except OSError as error:
            raise UserError(f'{self.out / name}: {error.strerror}; move it away') from error
        self.set_aside.append(name)

    def _note(self, entry: Entry) -> None:
        with _ledger(self.out).open('a', encoding='utf-8') as file:
            file.write(_line(entry))


def read(out: Path) -> OwnFiles:
    """The files that earlier calls have written; what was broken off in them is removed.

    Raises:
        UserError: What was written cannot be read.
    """
    files.remove_unfinished(out)
    entries: dict[str, list[Entry]] = {}
    try:
        lines = _ledger(out).read_text(encoding='utf-8').splitlines(keepends=True)
    except FileNotFoundError:
        lines = []
    except (OSError, ValueError) as error:
        raise UserError(f'{_ledger(out)}: cannot be read ({error}); name a new folder') from error
    for line in lines:
        try:
            entry = Entry(**json.loads(line))
        except (ValueError, TypeError):  # broken off, with its program
            continue
        entries.setdefault(entry.path, []).append(entry)
    if lines and not lines[-1].endswith('\n'):
        with _ledger(out).open('a', encoding='utf-8') as file:
            file.write('\n')
    return OwnFiles(out, entries)


def _ledger(out: Path) -> Path:
    return out / cache.FOLDER / 'written.jsonl'


def _line(entry: Entry) -> str:
    return json.dumps(dataclasses.asdict(entry)) + '\n'


def _sha256(path: Path) -> str | None:
    """Of a file's content; None where there is no file."""
    try:
        with path.open('rb') as file:
            return hashlib.file_digest(file, 'sha256').hexdigest()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise UserError(f'{path}: {error.strerror}; give permission to read it, or move it away') from error


def _remove(out: Path, name: str) -> None:
    """Removes a file, and the folders that it leaves empty."""
    path = out / name
    try:
        path.unlink()
        for folder in path.parents:
            if folder == out or any(folder.iterdir()):
                return
            folder.rmdir()
    except OSError as error:
        raise UserError(f'{path}: {error.strerror}; remove it') from error


def _few(names: list[str], most: int = 4) -> str:
    return ', '.join(names[:most]) + ', …' * (len(names) > most)
