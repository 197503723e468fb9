"""Find what photos have in common.

cosegnet predict PHOTOS [--out=FOLDER] [--model=NAME]

PHOTOS is a folder, with the folders in it, or several files and folders. The same command continues where it
was stopped. After a change of --threshold or --mask_threshold it uses what it knows of every photo.

FOLDER then holds
  report.html       the groups with photos, masks and cut-outs, and a slider that groups anew
  masks/NAME.png    255 where the object is, at the size of the photo
  cutouts/NAME.png  the object alone, transparent around it
  groups/           a folder for each group, with links to its photos
  groups.csv        the group of each photo, for a spreadsheet
  pairs.json        names, groups, outliers, and the probability of every pair

A later call on the same FOLDER remembers --threshold, --mask_threshold, --neighbors, --annotations,
--keep_outliers, --refine and --groups. A mask, a cut-out or an annotation that you change stays as you
changed it. Files of photos that are gone are removed, or moved to FOLDER/set_aside if you changed them.

Several processes can look at one collection: --shard=I/N looks at share I of N, from 0, and --merge decides
and groups what all of them have found (docs/scaling.md).

Files that cannot be read are listed on stderr and in pairs.json; the status is 0. It is 2, with one line that
says what to do, where the command cannot work.
"""

import os
import shlex
import sys
from pathlib import Path
from typing import get_args

from absl import flags

from cosegnet_jax.cli import command_line
from cosegnet_jax.cli.segmenter import MASK_THRESHOLD_HELP, THRESHOLD_HELP, segmenter_from_flags
from cosegnet_jax.data.files.image_files import MEGA, limit_pixels
from cosegnet_jax.data.files.remarks import say_left_out
from cosegnet_jax.inference import cache, collection, prediction, results_folder, shards
from cosegnet_jax.inference.annotations import formats
from cosegnet_jax.inference.collection import Photo
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.inference.group_folders import Kind
from cosegnet_jax.inference.settings import changed, remembered
from cosegnet_jax.inference.shards import Shard
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError, printable
from cosegnet_jax.runtime.places import local_path

_IMAGES = flags.DEFINE_string(
    'images', None, 'Folder of photos, or files with commas between: PHOTOS in another form, for scripts.'
)
_OUT = flags.DEFINE_string('out', None, 'Folder for the results; PHOTOS-cosegnet if not given.')
_THRESHOLD = flags.DEFINE_float('threshold', None, THRESHOLD_HELP, 0, 1)
_MASK_THRESHOLD = flags.DEFINE_float('mask_threshold', None, MASK_THRESHOLD_HELP, 0, 1)
_DRY_RUN = flags.DEFINE_bool('dry_run', False, 'Only list what would be written.')
_ANNOTATIONS = flags.DEFINE_list(
    'annotations',
    None,
    'Formats of annotation tools to write, with commas between: coco, labelme, cvat; none if not given.',
)
_NEIGHBORS = flags.DEFINE_integer(
    'neighbors',
    None,
    'For tens of thousands of photos: compare each with N that look alike, and not with all; 0 is all.',
    lower_bound=0,
)
_MAX_MEGAPIXELS = flags.DEFINE_float(
    'max_megapixels', None, 'Size of the largest photo that is read; 179 if not given.', lower_bound=0
)
_KEEP_OUTLIERS = flags.DEFINE_bool(
    'keep_outliers',
    None,
    'Keep the masks of photos that are in no group; their masks are empty if not given.',
)
_REFINE = flags.DEFINE_bool(
    'refine', None, 'Draw the edges of masks along the edges of the photo (guided filter); slower.'
)
_GROUPS = flags.DEFINE_enum(
    'groups',
    None,
    get_args(Kind),
    'What the folder of a group holds: links to the photos, or copies; links if not given.',
)
_SHARD = flags.DEFINE_string(
    'shard',
    None,
    'I/N: only look at the photos of share I, from 0, of N, as one of several processes (docs/scaling.md).',
)
_MERGE = flags.DEFINE_bool('merge', False, 'Decide and group what all shards have found.')
_JSON = flags.DEFINE_bool('json', False, 'Print the content of pairs.json instead of a summary.')


def main() -> None:
    """Group and segment the photos of a collection."""
    given = _given()
    pixels = None if _MAX_MEGAPIXELS.value is None else int(_MAX_MEGAPIXELS.value * MEGA)
    limit_pixels(pixels, 'let --max_megapixels allow it')
    if _SHARD.value and (_MERGE.value or _DRY_RUN.value or _JSON.value):
        raise UserError(f'--shard={_SHARD.value}: decides nothing; leave out --merge, --dry_run and --json')
    shard = shards.parse(_SHARD.value) if _SHARD.value else None
    if _DRY_RUN.value and _JSON.value:
        raise UserError('--dry_run and --json exclude each other: without a run there is no pairs.json')
    out = local_path(_OUT.value, '--out=') if _OUT.value else _beside(given)
    settings = changed(
        remembered(out),
        threshold=_THRESHOLD.value,
        mask_threshold=_MASK_THRESHOLD.value,
        neighbors=_NEIGHBORS.value,
        annotations=None if _ANNOTATIONS.value is None else tuple(_ANNOTATIONS.value),
        keep_outliers=_KEEP_OUTLIERS.value,
        refine=_REFINE.value,
        groups=_GROUPS.value,
    )
    annotations = formats.find_formats(settings.annotations)
    photos, left_out = collection.find(given)
    segmenter = segmenter_from_flags(settings.mask_threshold)
    if shard:
        _look_at_share(photos, segmenter, out, shard)
        return
    if _MERGE.value:
        shards.collect(photos, out)
    prediction.check(photos, segmenter, out)
    if _DRY_RUN.value:
        print(prediction.plan(photos, out))
        return
    out = command_line.writable('out', str(out))
    print(f'settings: {settings}', file=sys.stderr)
    found, document, said = prediction.predict(photos, segmenter, out, settings, _again(given))
    for line in [*said, *say_left_out(left_out)]:
        print(printable(line), file=sys.stderr)
    for skipped in document['skipped']:
        print(printable(f'skipped {skipped["name"]}: {skipped["reason"]}'), file=sys.stderr)
    for doubtful in document['doubtful']:
        print(printable(f'doubtful {doubtful["name"]}: {doubtful["reason"]}'), file=sys.stderr)
    if _JSON.value:
        print(files.to_json(document))
    else:
        print(results_folder.summary(found, settings.threshold))
        print(f'Open {out}/report.html to see them.')
        print(f'Masks, cut-outs and a folder for each group are in {out}.')
        for one in annotations:
            print(f'Annotations: {out}/annotations/{one.name}')


def _look_at_share(photos: list[Photo], segmenter: CoSegmenter, out: Path, shard: Shard) -> None:
    cache.check(out, segmenter.network.fingerprint(), None)
    out = command_line.writable('out', str(out))
    for skipped in shards.describe_share(photos, segmenter, out, shard):
        print(printable(f'skipped {skipped.name}: {skipped.reason}'), file=sys.stderr)
    print(f'Share {_SHARD.value} is finished. When all are: cosegnet predict --merge, the rest as before.')


def _given() -> list[str]:
    """Files and folders of the command line.

    Raises:
        UserError: There are none.
    """
    words, images = command_line.words(), _IMAGES.value or ''
    if bool(words) == bool(images):
        raise UserError('PHOTOS is missing; name a folder of photos: cosegnet predict PHOTOS')
    if words:
        return [str(local_path(word)) for word in words]
    whole = local_path(images, '--images=')
    parts = [] if whole.exists() else [part for part in images.split(',') if part]
    return [str(local_path(part, '--images=')) for part in parts] or [str(whole)]


def _beside(given: list[str]) -> Path:
    """The folder for results: `PHOTOS-cosegnet`, beside the folder that holds all photos."""
    folder = Path(given[0])
    if len(given) > 1 or not folder.is_dir() or folder.name in ('', '..'):
        whole = [os.path.abspath(one) for one in given]
        folder = Path(
            os.path.commonpath([one if os.path.isdir(one) else os.path.dirname(one) for one in whole])
        )
    return folder.with_name(f'{folder.name or "photos"}-cosegnet')


def _again(given: list[str]) -> str:
    """The command as it was given, without its threshold."""
    unread = ('threshold', 'json', 'dry_run', 'merge')
    own = [*flags.FLAGS.get_flags_for_module(__name__), flags.FLAGS['model']]
    kept = [flag.serialize() for flag in own if flag.present and flag.name not in (*unread, 'images')]
    return shlex.join(['cosegnet', 'predict', *given, *kept])
