"""Serve a web page on which photos are dropped, and what they have in common is shown and downloaded.

cosegnet serve --workdir=runs/pascal [--port=7860] [--max_photos=100 ...]

Only this machine can open it, unless --host names another address: there is no password. Photos and what is
found in them are deleted when a visitor closes the page, an hour after they were last looked at, and when the
server ends. The page needs no network, and nothing is reported to anybody.
"""

from absl import flags

from cosegnet_jax.cli import command_line
from cosegnet_jax.cli.segmenter import MASK_THRESHOLD_HELP, MODEL_HELP, segmenter_from_flags
from cosegnet_jax.inference.cosegmentation import MASK_THRESHOLD
from cosegnet_jax.serving import server
from cosegnet_jax.serving.limits import Limits

_MODEL = flags.DEFINE_string('model', None, MODEL_HELP)
_HOST = flags.DEFINE_string('host', '127.0.0.1', 'Address to listen at; 0.0.0.0 lets others in.')
_PORT = flags.DEFINE_integer('port', None, 'Port; the first one that is free, from 7860 on.', 1, 65535)
_MAX_PHOTOS = flags.DEFINE_integer('max_photos', 100, 'Photos looked at together.', 2)
_MAX_MEGABYTES = flags.DEFINE_float('max_megabytes', 300.0, 'Size of all photos together.', 0)
_MAX_MEGAPIXELS = flags.DEFINE_float('max_megapixels', 50.0, 'Size of one photo.', 0)
_THRESHOLD = flags.DEFINE_float(
    'threshold', 0.5, 'Mean probability of sharing an object from which photos are a group, at first.', 0, 1
)
_MASK_THRESHOLD = flags.DEFINE_float('mask_threshold', MASK_THRESHOLD, MASK_THRESHOLD_HELP, 0, 1)


def main() -> None:
    """Serves the page, with the best checkpoint of a run or an exported network."""
    command_line.refuse_config()
    server.check(_HOST.value, _PORT.value)
    bounds = Limits(_MAX_PHOTOS.value, _MAX_MEGABYTES.value, _MAX_MEGAPIXELS.value)
    segmenter = segmenter_from_flags(flags.FLAGS.workdir, _MODEL.value, _MASK_THRESHOLD.value)
    server.serve(segmenter, bounds, _THRESHOLD.value, _HOST.value, _PORT.value)
