"""Find what photos have in common.

cosegnet predict --workdir=runs/pascal --images=FOLDER --out=OUT [--threshold=0.5]
    [--mask_threshold=0.5] [--annotations=coco,labelme,cvat] [--neighbors=K] [--dry_run | --json]

The network is the best checkpoint of a run, or with --model=NAME instead of --workdir an exported one.

Writes OUT/masks/NAME.png (255 where the object is, at the photo's own size, upright), OUT/pairs.json and
OUT/report.html. The same command goes on where it was stopped; another --threshold groups anew and another
--mask_threshold cuts out anew, without looking at a photo again. --annotations also writes the masks for
tools to correct them in, as OUT/annotations/coco.json, OUT/annotations/labelme/NAME.json and
OUT/annotations/cvat.xml.

--neighbors=K, for tens of thousands of photos, decides each with some K near it and not all pairs; the
report then shows some photos of each group.

Ends with status 0, also where files were skipped: they are listed on stderr and in pairs.json. Ends with
status 2 and one line where there is something to put right.
"""

import sys

from absl import flags

from cosegnet_jax.cli import command_line
from cosegnet_jax.cli.segmenter import MASK_THRESHOLD_HELP, MODEL_HELP, segmenter_from_flags
from cosegnet_jax.inference import collection, neighbors, prediction, results_folder
from cosegnet_jax.inference.annotations import formats
from cosegnet_jax.inference.cosegmentation import MASK_THRESHOLD
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError, printable
from cosegnet_jax.runtime.optional_import import optional_import
from cosegnet_jax.runtime.places import local_path

_MODEL = flags.DEFINE_string('model', None, MODEL_HELP)
_IMAGES = flags.DEFINE_string(
    'images', None, 'Folder of photos, with the folders in it; or several files, with commas between.'
)
_OUT = flags.DEFINE_string('out', None, 'Folder for what is found.')
_THRESHOLD = flags.DEFINE_float(
    'threshold', 0.5, 'Mean probability of sharing an object from which photos are a group.', 0, 1
)
_MASK_THRESHOLD = flags.DEFINE_float('mask_threshold', MASK_THRESHOLD, MASK_THRESHOLD_HELP, 0, 1)
_DRY_RUN = flags.DEFINE_bool('dry_run', False, 'Only say what would be written.')
flags.DEFINE_alias('dry-run', 'dry_run')
_ANNOTATIONS = flags.DEFINE_list(
    'annotations', [], 'Annotation formats to write, too, with commas between: coco, labelme, cvat.'
)
_NEIGHBORS = flags.DEFINE_integer(
    'neighbors', None, 'Near photos that each is decided with; else all.', lower_bound=1
)
_JSON = flags.DEFINE_bool('json', False, 'Print pairs.json instead of a summary.')


def main() -> None:
    """Groups and segments the photos of a collection."""
    command_line.refuse_config()
    if not _IMAGES.value or not _OUT.value:
        raise UserError('--images=FOLDER and --out=OUT must be given: photos, and a folder for what is found')
    if _DRY_RUN.value and _JSON.value:
        raise UserError('--dry_run and --json exclude each other: without a run there is no pairs.json')
    annotations = formats.chosen(_ANNOTATIONS.value)
    if _NEIGHBORS.value:
        optional_import(neighbors.NEEDS, 'large')  # better to know before hours of looking at photos
    photos = collection.find(_IMAGES.value)
    segmenter = segmenter_from_flags(flags.FLAGS.workdir, _MODEL.value, _MASK_THRESHOLD.value)
    out = local_path(_OUT.value, '--out=')
    prediction.check(photos, segmenter, out)
    if _DRY_RUN.value:
        print(prediction.plan(photos, out))
        return
    command_line.writable('out', _OUT.value)
    found, document = prediction.predict(
        photos, segmenter, out, _THRESHOLD.value, annotations, _NEIGHBORS.value
    )
    for skipped in document['skipped']:
        print(printable(f'skipped {skipped["name"]}: {skipped["reason"]}'), file=sys.stderr)
    if _JSON.value:
        print(files.to_json(document))
    else:
        written = ['masks', 'pairs.json', 'report.html', *(f'annotations/{one.name}' for one in annotations)]
        print(f'{results_folder.summary(found, _THRESHOLD.value)}\nwritten: {out}/{", ".join(written)}')
