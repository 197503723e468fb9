"""Files of the Hugging Face Hub, downloaded once and kept in its cache."""

from __future__ import annotations

from pathlib import Path

from cosegnet_jax import __version__
from cosegnet_jax.runtime.errors import UserError, first_line
from cosegnet_jax.runtime.optional_import import optional_import


def download(repository: str, file: str, revision: str | None = None) -> Path:
    """The local copy of a file.

    Args:
        repository: OWNER/NAME.
        file: Its name in the repository.
        revision: Branch, tag or commit; None is the latest.

    Raises:
        UserError: There is no such thing, or it cannot be downloaded.
    """
    try:
        hub = optional_import('huggingface_hub', 'hub')
        errors = optional_import('huggingface_hub.errors', 'hub')
    except UserError as error:
        raise UserError(f'hf:{repository}: the Hugging Face Hub cannot be asked: {error}') from error
    reasons = {  # the first that fits: some are kinds of others
        errors.GatedRepoError: 'its owner gives it on request; ask on its page, then hf auth login',
        errors.RepositoryNotFoundError: 'no such repository, or a private one (for those, hf auth login)',
        errors.RevisionNotFoundError: f'no revision {revision}; leave it out for the latest',
        errors.LocalEntryNotFoundError: 'the Hub cannot be reached; connect to the network, or name a file',
        errors.EntryNotFoundError: f'no {file} in it; name another repository',
    }
    try:
        path = hub.hf_hub_download(
            repository, file, revision=revision, library_name='cosegnet_jax', library_version=__version__
        )
    except Exception as error:  # whatever a library for networks and disks may meet
        reason = next((text for kind, text in reasons.items() if isinstance(error, kind)), None)
        reason = reason or f'cannot be downloaded ({first_line(error) or type(error).__name__}); try again'
        raise UserError(f'hf:{repository}: {reason}') from error
    return Path(path)
