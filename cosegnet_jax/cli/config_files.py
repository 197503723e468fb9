"""The config files of `configs/`, by name, wherever the package is installed."""

from __future__ import annotations

from pathlib import Path

from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path

_PACKAGE = Path(__file__).parents[1]


def file_of(config: str) -> Path:
    """The file that `--config=` means: a file, or the one of that name in `configs/`.

    Raises:
        UserError: A name that is none of those in `configs/`.
    """
    if '/' in config or '.py' in config:
        return local_path(config, '--config=')
    files = {file.stem: file for file in sorted(_folder().glob('*.py'))}
    if config not in files:
        raise UserError(f'--config={config}: no such config; there are {", ".join(files)}, or a file')
    return files[config]


def _folder() -> Path:
    """Inside the package where setup.py has put it, beside it in a checkout."""
    inside = _PACKAGE / 'configs'
    return inside if inside.is_dir() else _PACKAGE.parent / 'configs'
