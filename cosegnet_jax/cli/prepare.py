"""Prepares a data set for training: checks every image and writes them all to one place.

`python -m cosegnet_jax.cli.prepare SET [--manual_dir=DIR] [--data_dir=DIR] [--preview=FILE.png]`
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import io
import itertools
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds
from absl import logging as absl_logging

from cosegnet_jax.data import builders, contact_sheet, prepared_set
from cosegnet_jax.data.builders.summary import summary
from cosegnet_jax.runtime.errors import UserError, reported
from cosegnet_jax.runtime.places import local_path

_PREVIEW_SIDE = 144  # pixels of a photo


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


class _Parser(argparse.ArgumentParser):
    """One line for a wrong command line, as for every other error."""

    def error(self, message: str) -> None:
        raise UserError(f'{message}; --help lists the flags')


def run(argv: list[str]) -> None:
    """Prepares what a command line names, and prints a summary.

    Raises:
        UserError: A wrong flag, or a set that cannot be prepared.
    """
    parser = _Parser(prog='python -m cosegnet_jax.cli.prepare', allow_abbrev=False)
    parser.add_argument(
        'set', metavar='SET', help=f'{", ".join(builders.names())}, or folder/NAME for photos of your own'
    )
    parser.add_argument(
        '--manual_dir', default='', metavar='DIR', help='folder with the photos and masks (docs/data.md)'
    )
    parser.add_argument(
        '--data_dir', default='', metavar='DIR', help='where to write; ~/tensorflow_datasets by default'
    )
    parser.add_argument('--preview', default='', metavar='FILE.png', help='picture of a few images a class')
    args = parser.parse_args(argv)
    manual_dir, data_dir, picture = (
        str(local_path(value, f'--{flag}=')) if value else ''
        for flag, value in (
            ('manual_dir', args.manual_dir),
            ('data_dir', args.data_dir),
            ('preview', args.preview),
        )
    )
    if args.preview and Path(args.preview).suffix.lower() != '.png':
        raise UserError(f'--preview={args.preview}: name a .png file')
    if not Path(picture).parent.is_dir():
        raise UserError(f'--preview={args.preview}: no such folder; make it first')

    builder, was_there = prepare(args.set, manual_dir, data_dir)
    print(summary(builder))
    if was_there:
        print(f'it had been prepared before; remove {builder.data_dir} to prepare it anew')
    if args.preview:
        contact_sheet.write(picture, prepared_set.load(args.set, data_dir, _PREVIEW_SIDE))
        print(f'preview in {picture}')


def main() -> None:
    """The command: status 2 and one line for what the user can put right."""
    absl_logging.set_verbosity(absl_logging.ERROR)  # TFDS warns of every config that is not its own
    logging.getLogger('urllib3').setLevel(logging.ERROR)  # it warns whenever it tries again
    warnings.simplefilter('ignore')  # Pillow warns of large photos, which are fine here
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    with reported(UserError, OSError):  # OSError: a full disk, a folder that may not be read
        run(sys.argv[1:])


if __name__ == '__main__':
    main()
