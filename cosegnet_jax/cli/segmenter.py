"""The network that a command is told to use, and flags that several commands share."""

from __future__ import annotations

from absl import flags

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


def model_flag() -> str | None:
    """The name of a network; None is the one that comes with the package."""
    return _MODEL.value


def segmenter_from_flags(mask_threshold: float) -> CoSegmenter:
    """The network that --model names, or else the one that comes with the package.

    Raises:
        UserError: There is no such network.
    """
    return CoSegmenter.from_pretrained(model_flag(), mask_threshold=mask_threshold)
