"""Files that are there whole or not at all, so that a program can be killed at any moment."""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cosegnet_jax.runtime.errors import UserError, first_line

_UNFINISHED = '.unfinished'

# What NumPy raises on an .npz file that is cut short, damaged, or holds something else.
DAMAGED_ARRAYS = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


@contextlib.contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """A name to write to inside; the file takes the place of `path` at the end, and else leaves the old one.

    The folder of `path` is made where it is missing.

    Raises:
        UserError: It cannot be written.
    """
    # Of this process alone; and short, for `path` may be as long as names can be.
    unfinished = path.with_name(f'{_UNFINISHED}{os.getpid()}{path.suffix}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise UserError(
            f'{path}: cannot be written ({error.strerror or first_line(error)}); fix that and start again, '
            f'what is written already is kept'
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes left of `write_atomically` in a folder and those inside it."""
    for path in folder.rglob(f'{_UNFINISHED}*'):
        process = path.name.removeprefix(_UNFINISHED).split('.')[0]
        if process.isdigit() and not (int(process) != os.getpid() and _runs(int(process))):
            with contextlib.suppress(OSError):
                path.unlink()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is of another user
        return True
    return True


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write strict JSON, one line for each entry of the document.

    Raises:
        UserError: It cannot be written.
    """
    with write_atomically(path) as file:
        file.write_text(to_json(document) + '\n', encoding='utf-8')


def to_json(document: dict[str, Any]) -> str:
    """The text of `write_json`: a matrix indented number by number would be a million lines."""
    lines = [f'{json.dumps(key)}: {json.dumps(value, allow_nan=False)}' for key, value in document.items()]
    return '{\n' + ',\n'.join(lines) + '\n}'
