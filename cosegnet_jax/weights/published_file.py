"""A file of published weights, and what can be wrong with it."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from cosegnet_jax.runtime.errors import UserError

# What the readers raise on a file that is damaged or is not what its ending says.
_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    SafetensorError,
)


def read(
    spec: str, fetch: Callable[[], Path], readers: Mapping[str, Callable[[Path], dict[str, np.ndarray]]]
) -> tuple[Path, dict[str, np.ndarray]]:
    """Where the weights are, and the arrays of that file by the names that it has for them.

    Args:
        spec: 'imagenet' or a file.
        fetch: Finds the file of 'imagenet'.
        readers: One for each ending that a file may have.

    Raises:
        UserError: No such file, another ending, or a damaged file.
    """
    path = fetch() if spec == 'imagenet' else Path(spec).expanduser()
    if path.suffix.lower() not in readers:
        raise UserError(
            f"config.model.weights='{spec}' should be 'imagenet', 'none' or a file that ends in "
            f'{", ".join(readers)}'
        )
    if not path.is_file():
        raise UserError(f'weights file {path} does not exist: check config.model.weights')
    try:
        return path, readers[path.suffix.lower()](path)
    except _DAMAGED as error:
        reason = ' '.join(str(error).split())
        raise UserError(
            f'{path} cannot be read as {path.suffix} weights ({reason}): get it again or pass another'
        ) from error


def difference(arrays: Mapping[str, np.ndarray], expected: Mapping[str, tuple[int, ...]]) -> str | None:
    """How the arrays of a file differ from those expected, in words; None where they do not.

    Args:
        arrays: What was read.
        expected: Shape of each array that has to be there; there may be others.
    """
    for name, shape in expected.items():
        if name not in arrays:
            return f"has no '{name}'"
        if arrays[name].shape != shape:
            return f"has '{name}' of shape {arrays[name].shape} instead of {shape}"
        if arrays[name].dtype.kind != 'f':
            return f"has '{name}' of type {arrays[name].dtype} instead of float16, float32 or float64"
        if not np.isfinite(arrays[name]).all():
            return f"has values in '{name}' that are no finite numbers"
    return None
