"""Preparation of a set with TFDS: every image is checked, and all are written to one place."""

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
    """Write a set, unless it exists already.

    Args:
        name: Such as 'pascal_coseg', 'msrc/all' or 'folder/mine'.
        manual_dir: Folder of the photos and masks, for sets that are not downloaded.
        data_dir: Folder to write to; '' is that of TFDS, ~/tensorflow_datasets or $TFDS_DATA_DIR.
        rules: How to read masks where their files do not tell.

    Returns:
        The builder, and whether the set existed before.

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
    # TFDS prints what the summary says too.
    with _alone(Path(builder.data_dir).parent, downloads), contextlib.redirect_stdout(io.StringIO()):
        builder.download_and_prepare(download_config=config, file_format='array_record')
    return builder, False


def _check_rules(builder: builders.CosegBuilder, rules: MaskRules) -> None:
    """Refuse rules that differ from those of an existing set; the defaults accept any."""
    before = (builder.info.metadata or {}).get('mask_rules', ['', 'auto'])
    asked = [rules.values.text, rules.orientation]
    if asked not in (before, ['', 'auto']):
        raise UserError(
            f'{builder.data_dir}: prepared with --mask_values={before[0]} --mask_orientation={before[1]}; '
            f'remove it to prepare it anew'
        )


@contextlib.contextmanager
def _alone(folder: Path, downloads: Path) -> Iterator[None]:
    """Lock the folder of a set's versions, and remove what killed processes left unfinished."""
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
