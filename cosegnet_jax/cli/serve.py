"""Serve a web page on which photos are dropped, and what they have in common is shown and downloaded.

cosegnet serve [--model=NAME] [--port=7860] [--max_photos=100 ...]

Only this machine can open it, unless --host names another address: there is no password. Photos and what is
found in them are deleted when a visitor closes the page, an hour after they were last looked at, and when the
server ends. The page needs no network, and nothing is reported to anybody.
"""

from absl import flags

from cosegnet_jax.cli.segmenter import MASK_THRESHOLD_HELP, THRESHOLD_HELP, model_flag, segmenter_from_flags
from cosegnet_jax.export import model_folder
from cosegnet_jax.inference.cosegmentation import MASK_THRESHOLD
from cosegnet_jax.serving import server
from cosegnet_jax.serving.limits import Limits

_HOST = flags.DEFINE_string(
    'host', '127.0.0.1', 'Address to listen at (this machine alone); 0.0.0.0 lets others in.'
)
_PORT = flags.DEFINE_integer(
    'port', None, 'Port to listen at; the first free one from 7860 on if not given.', 1, 65535
)
_MAX_PHOTOS = flags.DEFINE_integer('max_photos', 100, 'Largest number of photos of a visitor (100).', 2)
_MAX_MEGABYTES = flags.DEFINE_float(
    'max_megabytes', 300.0, 'Largest size of all photos of a visitor (300).', 0
)
_MAX_MEGAPIXELS = flags.DEFINE_float('max_megapixels', 50.0, 'Largest size of one photo (50).', 0)
_THRESHOLD = flags.DEFINE_float('threshold', 0.5, THRESHOLD_HELP, 0, 1)
_MASK_THRESHOLD = flags.DEFINE_float('mask_threshold', MASK_THRESHOLD, MASK_THRESHOLD_HELP, 0, 1)


def main() -> None:
    """Serve the page, with the best checkpoint of a run or an exported network."""
    server.check(_HOST.value, _PORT.value)
    bounds = Limits(_MAX_PHOTOS.value, _MAX_MEGABYTES.value, _MAX_MEGAPIXELS.value)
    segmenter = segmenter_from_flags(_MASK_THRESHOLD.value)
    card = model_folder.card(model_flag(), segmenter.network)
    server.serve(segmenter, card, bounds, _THRESHOLD.value, _HOST.value, _PORT.value)
