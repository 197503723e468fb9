"""Places that a person names: files and folders of this machine."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cosegnet_jax.runtime.errors import UserError

# gs://bucket, s3://bucket, file:///home and C:\photos; `Path` turns the two slashes into one.
_ADDRESS = re.compile(r'[A-Za-z][\w+.-]*:[/\\]|\\\\')


def local_path(place: str | os.PathLike, said_as: str = '') -> Path:
    """The path that is meant, with '~' and '~name' expanded; nothing has to be there.

    Without this, 'gs://bucket/run' would be a folder 'gs:' in the working directory, and a run in it would
    look like a success.

    Args:
        place: What the person has written.
        said_as: Beginning of the message, such as '--out='.

    Raises:
        UserError: It is an address with a scheme or a drive, or '~name' is no user.
    """
    text = os.fspath(place)
    if _ADDRESS.match(text) and os.name != 'nt':
        raise UserError(
            f'{said_as}{text}: an address, and only files and folders of this machine are read and written; '
            f'copy or mount it, and name the local path'
        )
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UserError(f'{said_as}{text}: no such user; name the folder in full') from error
