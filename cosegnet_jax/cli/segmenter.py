"""The network that a command is told to use."""

from __future__ import annotations

from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path

MODEL_HELP = 'Exported network, instead of a run: a file, a folder, or hf:OWNER/NAME on the Hugging Face Hub.'
MASK_THRESHOLD_HELP = 'A pixel belongs to the object from this probability on.'


def segmenter_from_flags(workdir: str | None, model: str | None, mask_threshold: float) -> CoSegmenter:
    """The network that one of the flags --workdir and --model names.

    Raises:
        UserError: Both or neither are given, or there is no such network.
    """
    if bool(workdir) == bool(model):
        raise UserError('one of --workdir=DIR and --model=NAME must be given: a run, or an exported network')
    if model:
        return CoSegmenter.from_pretrained(model, mask_threshold)
    return CoSegmenter.load(local_path(workdir, '--workdir='), mask_threshold=mask_threshold)
