"""The network that a command is told to use."""

from __future__ import annotations

from cosegnet_jax.errors import UserError
from cosegnet_jax.inference.predictor import CoSegmenter

MODEL_HELP = 'Exported network, instead of a run: a file, a folder, or OWNER/NAME on the Hugging Face Hub.'


def segmenter(workdir: str | None, model: str | None) -> CoSegmenter:
    """The network that one of the flags --workdir and --model names.

    Raises:
        UserError: Both or neither are given, or there is no such network.
    """
    if bool(workdir) == bool(model):
        raise UserError('one of --workdir=DIR and --model=NAME must be given: a run, or an exported network')
    return CoSegmenter.from_pretrained(model) if model else CoSegmenter.load(workdir)
