"""Names of files as people type them and as file systems take them."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import PurePosixPath

LONGEST = 255  # bytes of one name, on nearly every file system


def compose(name: str) -> str:
    """A name with each accented letter as one character.

    macOS and some archives keep the letter and its accent apart, so that files of one name from different
    computers would not meet.
    """
    return unicodedata.normalize('NFC', name)


def shorten(path: str) -> str:
    """A path whose last name is short enough to be written: part of it becomes a digest where it is not."""
    whole = PurePosixPath(path)
    name = whole.name.encode('utf-8', 'surrogateescape')
    if len(name) <= LONGEST:
        return path
    suffix = whole.suffix.encode('utf-8', 'surrogateescape')
    mark = f'~{hashlib.sha256(name).hexdigest()[:8]}'.encode() + suffix
    stem = name[: LONGEST - len(mark)].decode('utf-8', 'ignore')
    return str(whole.with_name(stem + mark.decode('utf-8', 'surrogateescape')))
