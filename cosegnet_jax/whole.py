"""Files that are there whole or not at all, so that a program can be killed at any moment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def written(path: Path) -> Iterator[Path]:
    """A name to write to inside; the file takes the place of `path` at the end, and else leaves the old one.

    The folder of `path` is made where it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f'.{path.name}.unfinished')
    yield unfinished
    unfinished.replace(path)
