"""Descriptions of photos in OUT/.described, so that no photo is looked at twice.

They belong to one network, which model.json names. A description is found by the name, size and time of its
photo, so that a photo that was changed is looked at anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from pathlib import Path

import numpy as np

from cosegnet_jax.inference.cosegmentation import Described
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError


def is_output(folder: Path) -> bool:
    """Whether the folder was written by this command, as far as this process may look into it."""
    return os.path.isfile(_model(folder))


def check(out: Path, fingerprint: str, keys: Collection[str]) -> None:
    """Refuses a folder that holds what was not made by this network of these photos.

    Args:
        out: The folder, which need not be there.
        fingerprint: Of the network.
        keys: Of the photos. It is enough to know one of them: others may have been added or changed.

    Raises:
        UserError: It holds what another network made, what is of other photos, or other files; or it cannot
            be looked into.
    """
    if not is_output(out):
        try:
            others = out.is_dir() and any(entry.name != '.described' for entry in out.iterdir())
        except OSError as error:
            raise UserError(f'--out={out}: {error.strerror}; name another folder') from error
        if others:
            raise UserError(
                f'--out={out}: holds files that this command has not written; '
                f'name a new folder, so that nothing is overwritten'
            )
        return
    try:
        found = json.loads(_model(out).read_text())['fingerprint']
    except files.DAMAGED_ARRAYS:
        found = None
    if found != fingerprint:
        raise UserError(
            f'--out={out}: holds what another network, or another step of this one, has found; '
            f'name a new folder, or delete this one'
        )
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
        files.write_json(_model(out), {'fingerprint': fingerprint})


def key(name: str, path: Path) -> str:
    """By which the description of a photo is found.

    Raises:
        OSError: There is no such file.
    """
    state = path.stat()
    return hashlib.sha256(f'{name}\0{state.st_size}\0{state.st_mtime_ns}'.encode()).hexdigest()[:32]


def load(out: Path, of: str) -> Described | None:
    """The description of a photo, by its key; None where there is none that can be read."""
    try:
        with _file(out, of).open('rb') as file, np.load(file, allow_pickle=False) as content:
            height, width = content['size'].tolist()
            blank = str(content['blank'])
            return Described((height, width), content['soft_mask'], content['embedding'], blank)
    except files.DAMAGED_ARRAYS:
        return None


def save(out: Path, of: str, described: Described) -> None:
    """Keeps the description of a photo under its key.

    Raises:
        UserError: It cannot be written.
    """
    with files.write_atomically(_file(out, of)) as unfinished:
        np.savez_compressed(unfinished, **described._asdict())


def _file(out: Path, of: str) -> Path:
    return out / '.described' / f'{of}.npz'


def _model(out: Path) -> Path:
    return out / '.described' / 'model.json'
