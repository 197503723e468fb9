"""Prepares a set with TFDS: checks every image and writes them all to one place."""

from __future__ import annotations

import contextlib
import fcntl
import io
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds

from cosegnet_jax.data import builders
from cosegnet_jax.runtime.errors import UserError


def prepare(name: str, manual_dir: str, data_dir: str) -> tuple[builders.CosegBuilder, bool]:
    """Writes a set, unless it is there already.

    Args:
        name: Such as 'pascal_coseg', 'msrc/all' or 'folder/mine'.
        manual_dir: Folder of the photos and masks, for sets that are not downloaded.
        data_dir: Where to write; '' is TFDS's own place, ~/tensorflow_datasets or $TFDS_DATA_DIR.

    Returns:
        Its builder, and whether it had been there.

    Raises:
        UserError: There is no such set, its files are missing, or none can be used.
    """
    builder = builders.make(name, data_dir)
    if builder.is_prepared():
        return builder, True
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS and not (manual_dir and any(Path(manual_dir).glob('*'))):
        problem = f'{manual_dir}: nothing there' if manual_dir else '--manual_dir=DIR is missing'
        raise UserError(f'{problem}. {" ".join(builder.MANUAL_DOWNLOAD_INSTRUCTIONS.split())}')
    downloads = Path(builder.data_dir_root) / 'downloads' / builder.name
    config = tfds.download.DownloadConfig(manual_dir=manual_dir or None, extract_dir=downloads / 'extracted')
    # TFDS announces on the standard output what the summary is going to say.
    with _alone(Path(builder.data_dir).parent, downloads), contextlib.redirect_stdout(io.StringIO()):
        builder.download_and_prepare(download_config=config, file_format='array_record')
    return builder, False


@contextlib.contextmanager
def _alone(folder: Path, downloads: Path) -> Iterator[None]:
    """Holds the folder where versions of a set are, cleared of what a killed process has left unfinished."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise UserError(f'{folder}: {error.strerror}; name another folder with --data_dir=DIR') from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # goes with the process, however it ends
        except BlockingIOError:
            raise UserError(f'{folder}: another process is preparing this set; wait for it') from None
        leftovers = itertools.chain(
            folder.glob('incomplete.*'), downloads.glob('*.tmp.*'), downloads.glob('extracted/incomplete.*')
        )
        for path in list(leftovers):
            shutil.rmtree(path)
        yield
    finally:
        os.close(handle)
