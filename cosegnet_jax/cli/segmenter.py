"""The network that a command is told to use, and flags that several commands share."""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosegnet_jax.export import shipped_network
from cosegnet_jax.inference.cosegmenter import CoSegmenter

MASK_THRESHOLD_HELP = 'A pixel is in the mask from this probability on (0.5); higher: smaller masks.'
THRESHOLD_HELP = (
    'How sure the network has to be that photos share an object (0.5); higher: smaller, purer groups.'
)

_MODEL = flags.DEFINE_string(
    'model',
    None,
    'Network: folder of a run, file or folder of an exported one, or hf:OWNER/NAME on the Hugging Face Hub; '
    'the one that comes with the package if not given.',
)


def segmenter_from_flags(mask_threshold: float) -> CoSegmenter:
    """The network that --model names, or else the one that comes with the package.

    Raises:
        UserError: There is no such network.
    """
    name = _MODEL.value or shipped_network.find()
    if (Path(name).expanduser() / 'checkpoints').is_dir():
        return CoSegmenter.load(name, mask_threshold=mask_threshold)
    return CoSegmenter.from_pretrained(name, mask_threshold)
