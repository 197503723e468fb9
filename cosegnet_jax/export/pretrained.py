"""Where a trained network is that is called by a name: here, or on the Hugging Face Hub."""

from __future__ import annotations

import re
from pathlib import Path

from cosegnet_jax.export.model_file import NAME
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path
from cosegnet_jax.weights.hub import download

_HUB = 'hf:'  # without it a name is looked for on this machine only: anybody can own the repository of a typo
_ON_THE_HUB = re.compile(r'hf:(?P<repository>[\w-][\w.-]*/[\w-][\w.-]*)(@(?P<revision>\S+))?')


def find(name: str) -> Path:
    """The model file that is meant, downloaded once and kept in the Hub's cache if it is not here.

    Args:
        name: A file; a folder that holds model.safetensors; or hf:OWNER/NAME on the Hub, the latest revision
            or hf:OWNER/NAME@REVISION (branch, tag or commit).

    Raises:
        UserError: There is no such thing, or it cannot be downloaded.
    """
    if name.startswith(_HUB):
        there = _ON_THE_HUB.fullmatch(name)
        if not there:
            raise UserError(f'{name}: no name on the Hugging Face Hub; write hf:OWNER/NAME')
        return download(there['repository'], NAME, there['revision'])
    here = local_path(name)
    if here.is_dir():
        if not (here / NAME).is_file():
            raise UserError(f'{here}: no {NAME} in it; name a folder of cosegnet export, not a run')
        return here / NAME
    if not here.exists():
        raise UserError(f'{name}: no such file or folder; a network on the Hugging Face Hub is hf:OWNER/NAME')
    return here
