"""Descriptions of photos in OUT/.described, so that no photo is looked at twice.

They belong to one network, which model.json names. A description is found by the content of its photo, so
that a photo may change its name, and one that was changed is looked at anew.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import io
import json
import os
import stat
import time
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from cosegnet_jax.inference.cosegmentation import Described
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError

FOLDER = '.described'
FORMAT = 3  # of what is kept in it

_SETTLED_NS = 2 * 10**9  # a file that was changed so shortly ago may change again and keep its times


def is_output(folder: Path) -> bool:
    """Whether the folder was written by this command, as far as this process may look into it."""
    return os.path.isfile(_model(folder))


def check(out: Path, fingerprint: str, keys: Collection[str] | None) -> None:
    """Refuses a folder that holds what was not made by this network of these photos.

    Args:
        out: The folder, which need not be there.
        fingerprint: Of the network.
        keys: Of the photos. It is enough to know one of them: others may have been added or changed. None
            of a share of them, whose own folder tells.

    Raises:
        UserError: It holds what another network made, what is of other photos, or other files; or it cannot
            be looked into.
    """
    if not is_output(out):
        try:
            others = out.is_dir() and any(entry.name != FOLDER for entry in out.iterdir())
        except OSError as error:
            raise UserError(f'--out={out}: {error.strerror}; name another folder') from error
        if others:
            raise UserError(
                f'--out={out}: holds files that this command has not written; '
                f'name a new folder, so that nothing is overwritten'
            )
        return
    try:
        found = json.loads(_model(out).read_text())
        same = (found['fingerprint'], found['format']) == (fingerprint, FORMAT)
    except files.DAMAGED_ARRAYS:
        same = False
    if not same:
        raise UserError(
            f'--out={out}: holds what another network, another step of this one, or another version of this '
            f'program has found; name a new folder, or delete this one'
        )
    if keys is None:
        return
    known = {file.stem for file in _file(out, '').parent.glob('[!.]*.npz')}  # none that was broken off
    if known and known.isdisjoint(keys):
        raise UserError(
            f'--out={out}: holds what was found in other photos, or in these before all were changed; '
            f'name a new folder, or delete this one'
        )


def begin(out: Path, fingerprint: str) -> None:
    """Marks a folder that `check` let pass.

    Raises:
        UserError: It cannot be written.
    """
    if not is_output(out):
        files.write_json(_model(out), {'fingerprint': fingerprint, 'format': FORMAT})


def key(path: Path, known: Mapping[str, str]) -> str:
    """By which the description of a photo is found: the hash of the file.

    Args:
        path: The photo.
        known: Keys by the state of files, from `read_keys`; a file in such a state is not read again.

    Raises:
        OSError: There is no such file, or it cannot be read.
    """
    state = _state(path)
    return known.get(state) or _hash(path, state)


def read_keys(out: Path) -> dict[str, str]:
    """What `write_keys` kept; nothing where it cannot be read."""
    try:
        found = json.loads(_keys(out).read_text(encoding='utf-8'))
        return {str(state): str(key) for state, key in found.items()}
    except (*files.DAMAGED_ARRAYS, AttributeError):
        return {}


def write_keys(out: Path, keys: Mapping[Path, str]) -> None:
    """Keeps the keys of photos with the states of their files.

    A state is size, times and inode. A program cannot set the second of the times, when the file's content or
    name was changed last, so that a state tells one content from another, unless both came within moments.

    Raises:
        UserError: They cannot be written.
    """
    now, states = time.time_ns(), {}
    for path, key in keys.items():
        with contextlib.suppress(OSError):
            if now - path.stat().st_ctime_ns > _SETTLED_NS:
                states[_state(path)] = key
    files.write_json(_keys(out), states)


def _state(path: Path) -> str:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # reading it might wait for ever
        raise OSError(errno.EINVAL, 'a pipe, a socket or a device and no file')
    return f'{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_dev} {found.st_ino}'


@functools.lru_cache(2**16)  # a program asks what can be done, and then does it
def _hash(path: Path, state: str) -> str:
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()[:32]


def load(out: Path, of: str) -> Described | None:
    """The description of a photo, by its key; None where there is none that can be read."""
    try:
        with _file(out, of).open('rb') as file, np.load(file, allow_pickle=False) as content:
            height, width = content['size'].tolist()
            blank = str(content['blank'])
            return Described(
                (height, width), content['soft_mask'], content['embedding'], blank, content['places']
            )
    except files.DAMAGED_ARRAYS:
        return None


def save(out: Path, of: str, described: Described) -> None:
    """Keeps the description of a photo under its key.

    Raises:
        UserError: It cannot be written.
    """
    save_bytes(out, of, to_bytes(described))


def to_bytes(described: Described) -> bytes:
    """A description as it is kept in a file."""
    content = io.BytesIO()  # NumPy would complain a second time of a full disk
    np.savez_compressed(content, **described._asdict())
    return content.getvalue()


def save_bytes(out: Path, of: str, content: bytes) -> None:
    """Keeps what `to_bytes` gave.

    Raises:
        UserError: It cannot be written.
    """
    with files.write_atomically(_file(out, of)) as unfinished:
        unfinished.write_bytes(content)


def _file(out: Path, of: str) -> Path:
    return out / FOLDER / f'{of}.npz'


def _model(out: Path) -> Path:
    return out / FOLDER / 'model.json'


def _keys(out: Path) -> Path:
    return out / FOLDER / 'keys.json'
