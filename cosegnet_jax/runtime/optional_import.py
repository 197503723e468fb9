"""Packages that only some features need; each comes with an extra of setup.cfg."""

from __future__ import annotations

import importlib
from types import ModuleType

from cosegnet_jax.runtime.errors import UserError


def optional_import(module: str, extra: str) -> ModuleType:
    """Imports a module of an optional package.

    Args:
        module: Such as 'pycocotools.mask'.
        extra: Name in setup.cfg that installs it.

    Raises:
        UserError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = module.split('.')[0]
        raise UserError(f"{name} is not installed; pip install 'cosegnet-jax[{extra}]'") from error
