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
from cosegnet_jax.data.masks.mask_rules import BY_FILE, MaskRules
from cosegnet_jax.runtime.errors import UserError


def prepare(
    name: str, manual_dir: str, data_dir: str, rules: MaskRules = BY_FILE
) -> tuple[builders.CosegBuilder, bool]:
    """Writes a set, unless it is there already.

    Args:
        name: Such as 'pascal_coseg', 'msrc/all' or 'folder/mine'.
        manual_dir: Folder of the photos and masks, for sets that are not downloaded.
        data_dir: Where to write; '' is TFDS's own place, ~/tensorflow_datasets or $TFDS_DATA_DIR.
        rules: How masks are read where their files do not tell.

    Returns:
        Its builder, and whether it had been there.

    Raises:
        UserError: There is no such set, its files are missing, none can be used, or the set was prepared
            with other rules.
    """
    builder = builders.make(name, data_dir, rules)
    if builder.is_prepared():
        _check_rules(builder, rules)
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


def _check_rules(builder: builders.CosegBuilder, rules: MaskRules) -> None:
    """Refuses rules that a set was not prepared with; without any, it is as it is."""
    before = (builder.info.metadata or {}).get('mask_rules', ['', 'auto'])
    asked = [rules.values.text, rules.orientation]
    if asked not in (before, ['', 'auto']):
        raise UserError(
            f'{builder.data_dir}: prepared with --mask_values={before[0]} --mask_orientation={before[1]}; '
            f'remove it to prepare it anew'
        )


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
