"""Packages that only some features need. Each comes with an extra of setup.cfg."""

from __future__ import annotations

import importlib
from types import ModuleType

from cosegnet_jax.runtime.errors import UserError


def optional_import(module: str, extra: str) -> ModuleType:
    """Import a module that needs an optional package.

    Args:
        module: A module of the package, such as 'pycocotools.mask', or one of ours that imports it.
        extra: The extra of setup.cfg that installs the package.

    Raises:
        UserError: The package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = (error.name or module).split('.')[0]
        raise UserError(f"{package} is not installed; pip install 'cosegnet-jax[{extra}]'") from error
