"""Compiled programs on disk, so that a program that starts again does not compile again."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from pathlib import Path

import jax

VARIABLE = 'COSEGNET_COMPILATION_CACHE'  # 'off', or the folder
LARGEST = 1 << 30  # bytes of all files together


def enable() -> None:
    """Make JAX keep what it compiles, unless the user has chosen otherwise.

    The folder is that of $COSEGNET_COMPILATION_CACHE, else one in the user's cache folder. JAX keeps its own
    where it was told one, by its own setting or $JAX_COMPILATION_CACHE_DIR. Files that were used least
    recently go first where all take more than `LARGEST`. A folder that cannot be written is not used.
    """
    chosen = os.environ.get(VARIABLE, '')
    if chosen == 'off' or folder_of_jax():
        return
    folder = (Path(chosen).expanduser() if chosen else _user_cache() / 'cosegnet-jax') / _machine()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        prune(folder, LARGEST)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        jax.config.update('jax_compilation_cache_dir', str(folder))
        jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.1)


def folder_of_jax() -> str | None:
    """The folder in which JAX keeps what it compiles; None where it keeps nothing."""
    return jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue] defined by a call


def prune(folder: Path, largest: int) -> None:
    """Remove the files used least recently, until the rest take `largest` bytes or less."""
    found = [(file, file.stat()) for file in folder.iterdir() if file.is_file()]
    total = sum(state.st_size for _, state in found)
    for file, state in sorted(found, key=lambda one: max(one[1].st_atime, one[1].st_mtime)):
        if total <= largest:
            return
        file.unlink(missing_ok=True)  # another process may be faster
        total -= state.st_size


def _user_cache() -> Path:
    if folder := os.environ.get('XDG_CACHE_HOME'):
        return Path(folder)
    if sys.platform == 'darwin':
        return Path.home() / 'Library' / 'Caches'
    if sys.platform == 'win32':
        return Path(os.environ.get('LOCALAPPDATA', Path.home()))
    return Path.home() / '.cache'


def _machine() -> str:
    """Name the kind of processor: a home folder may be shared by machines that run different programs."""
    kind = [platform.machine(), platform.processor()]
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
        kind += [line for line in lines if line.startswith(('model name', 'flags', 'Features'))][:2]
    except OSError:
        pass
    return hashlib.sha256('\n'.join(kind).encode()).hexdigest()[:12]
