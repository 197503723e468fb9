"""The trained network that comes with the package."""

from __future__ import annotations

from pathlib import Path

from cosegnet_jax.export.model_file import NAME
from cosegnet_jax.runtime.errors import UserError

WORD = 'shipped'  # names it, as of --model or config.model.weights
FILE = Path(__file__).parent / 'shipped' / NAME


def find() -> Path:
    """The model file of the network that is used where none is named.

    Raises:
        UserError: The installation has none.
    """
    if not FILE.is_file():
        raise UserError(f'{FILE}: no trained network came with this installation; name one by --model=NAME')
    return FILE
