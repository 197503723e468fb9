"""Where a trained network is that is called by a name: here, or on the Hugging Face Hub."""

from __future__ import annotations

import re
from pathlib import Path

from cosegnet_jax import __version__
from cosegnet_jax.export.model_file import NAME
from cosegnet_jax.runtime.errors import UserError, first_line
from cosegnet_jax.runtime.optional_import import optional_import
from cosegnet_jax.runtime.places import local_path

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
        return _download(there['repository'], there['revision'])
    here = local_path(name)
    if here.is_dir():
        if not (here / NAME).is_file():
            raise UserError(f'{here}: no {NAME} in it; name a folder of cosegnet export, not a run')
        return here / NAME
    if not here.exists():
        raise UserError(f'{name}: no such file or folder; a network on the Hugging Face Hub is hf:OWNER/NAME')
    return here


def _download(repository: str, revision: str | None) -> Path:
    try:
        hub = optional_import('huggingface_hub', 'hub')
        errors = optional_import('huggingface_hub.errors', 'hub')
    except UserError as error:
        raise UserError(f'hf:{repository}: the Hugging Face Hub cannot be asked: {error}') from error
    reasons = {  # the first that fits: some are kinds of others
        errors.GatedRepoError: 'its owner gives it on request; ask on its page, then hf auth login',
        errors.RepositoryNotFoundError: 'no such repository, or a private one (for those, hf auth login)',
        errors.RevisionNotFoundError: f'no revision {revision}; leave it out for the latest',
        errors.LocalEntryNotFoundError: 'the Hub cannot be reached; mend the network, or name a file',
        errors.EntryNotFoundError: f'no {NAME} in it; name a repository of a folder of cosegnet export',
    }
    try:
        file = hub.hf_hub_download(
            repository, NAME, revision=revision, library_name='cosegnet_jax', library_version=__version__
        )
    except Exception as error:  # whatever a library for networks and disks may meet
        reason = next((text for kind, text in reasons.items() if isinstance(error, kind)), None)
        reason = reason or f'cannot be downloaded ({first_line(error) or type(error).__name__}); try again'
        raise UserError(f'hf:{repository}: {reason}') from error
    return Path(file)
