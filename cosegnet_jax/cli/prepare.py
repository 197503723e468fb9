"""Check a published set, or your own photos, and store it for training.

cosegnet prepare pascal_coseg --manual_dir=FOLDER [--preview=sheet.png]
    [--mask_values=NUMBERS] [--mask_orientation=shown|stored] [--max_megapixels=N]

Checks every image, counts, and leaves out what is broken and says so. docs/data.md says where each set is
published and how to lay it out. SET is pascal_coseg, internet, msrc, icoseg, voc2012, or folder/NAME for
photos of your own. Where the files of masks do not tell what is object, --mask_values does: 1,3-5 or nonzero,
or cow:17,car:3 where each class has numbers of its own.
"""

import logging
import sys
import typing
from pathlib import Path

import tensorflow_datasets as tfds
from absl import flags

from cosegnet_jax.cli import command_line
from cosegnet_jax.data import builders, contact_sheet, prepared_set
from cosegnet_jax.data.builders.preparation import prepare
from cosegnet_jax.data.builders.summary import summary
from cosegnet_jax.data.files.image_files import MEGA, limit_pixels
from cosegnet_jax.data.files.orientation import MaskOrientation
from cosegnet_jax.data.masks import mask_rules
from cosegnet_jax.data.masks.mask_rules import BY_FILE, MaskRules
from cosegnet_jax.data.masks.object_shares import describe_shares
from cosegnet_jax.runtime.errors import UserError, printable
from cosegnet_jax.runtime.places import local_path

_MANUAL_DIR = flags.DEFINE_string('manual_dir', '', 'Folder with the photos and masks of the set.')
_DATA_DIR = flags.DEFINE_string(
    'data_dir', '', 'Folder for the prepared set; ~/tensorflow_datasets if not given.'
)
_PREVIEW = flags.DEFINE_string(
    'preview', '', 'PNG file for a picture of a few images of each class; none if not given.'
)

_MASK_VALUES = flags.DEFINE_string(
    'mask_values', '', 'Numbers that are the object in masks; each file decides if not given.'
)
_MASK_ORIENTATION = flags.DEFINE_enum(
    'mask_orientation',
    'auto',
    typing.get_args(MaskOrientation),
    'How masks lie that fit a photo turned by EXIF both as shown and as stored.',
)
_MAX_MEGAPIXELS = flags.DEFINE_float(
    'max_megapixels', None, 'Size of the largest photo that is read; 179 if not given.', lower_bound=0
)

_PREVIEW_SIDE = 144  # pixels of a photo
_LOOK_SIDE = 64  # pixels of a mask, to see whether it is probable


def main() -> None:
    """Prepare the set that the command line names."""
    logging.getLogger('urllib3').setLevel(logging.ERROR)  # it warns whenever it tries again
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    names = command_line.words()
    if len(names) != 1:
        problem = 'SET is missing' if not names else f'{" ".join(names)}: more than one set'
        raise UserError(f'{problem}; name one of {", ".join(builders.names())}, or folder/NAME')
    pixels = None if _MAX_MEGAPIXELS.value is None else int(_MAX_MEGAPIXELS.value * MEGA)
    limit_pixels(pixels, 'let --max_megapixels allow it')
    orientation = typing.cast(MaskOrientation, _MASK_ORIENTATION.value)
    run(
        names[0],
        _place(_MANUAL_DIR, '--manual_dir='),
        _place(_DATA_DIR, '--data_dir='),
        _place(_PREVIEW, '--preview='),
        MaskRules(mask_rules.parse(_MASK_VALUES.value), orientation),
    )


def run(name: str, manual_dir: str, data_dir: str, preview: str = '', rules: MaskRules = BY_FILE) -> None:
    """Prepare a set, print a summary, and draw a contact sheet.

    Args:
        name: Of the set.
        manual_dir: As that of `prepare`.
        data_dir: Likewise.
        preview: PNG file for the sheet; '' draws none.
        rules: As that of `prepare`.

    Raises:
        UserError: The set cannot be prepared, or the sheet cannot be written.
    """
    if preview and Path(preview).suffix.lower() != '.png':
        raise UserError(f'--preview={preview}: name a .png file')
    if not Path(preview).parent.is_dir():
        raise UserError(f'--preview={preview}: no such folder; make it first')
    try:
        builder, was_there = prepare(name, manual_dir, data_dir, rules)
        _, *warnings = describe_shares(prepared_set.load(name, data_dir, _LOOK_SIDE))
        for line in [*summary(builder).splitlines(), *warnings]:
            print(printable(line))
        if was_there:
            print(f'The set was prepared before. Remove {builder.data_dir} to prepare it anew.')
        if preview:
            contact_sheet.write(preview, prepared_set.load(name, data_dir, _PREVIEW_SIDE))
            print(f'Open {preview} to see a few images of each class.')
    except OSError as error:  # a full disk, a folder that may not be read
        raise UserError(str(error)) from error


def _place(flag: flags.FlagHolder, said_as: str) -> str:
    return str(local_path(flag.value, said_as)) if flag.value else ''
