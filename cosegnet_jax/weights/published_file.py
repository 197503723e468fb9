"""A file of published weights, and what can be wrong with it."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path

# What the readers raise on a file that is damaged or is of another kind.
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
) -> tuple[Path, str, dict[str, np.ndarray]]:
    """Where the weights are, of what kind the file is, and its arrays by the names that it has for them.

    Args:
        spec: 'imagenet' or a file, whose content tells its kind, whatever it is called.
        fetch: Finds the file of 'imagenet'.
        readers: One for each kind that is read: '.h5', '.npz', '.pth' or '.safetensors'.

    Raises:
        UserError: No such file, one of another kind, or a damaged file.
    """
    path = fetch() if spec == 'imagenet' else local_path(spec, 'config.model.weights=')
    if not path.is_file():
        raise UserError(
            f"config.model.weights='{spec}': no such file; it should be 'imagenet', 'none' or a file such as "
            f'{", ".join(readers)}'
        )
    try:
        kind = _kind(path)
        if kind not in readers:
            raise ValueError(f'it is a {kind} file, and {", ".join(readers)} are read')
        return path, kind, readers[kind](path)
    except _DAMAGED as error:
        reason = ' '.join(str(error).split())
        raise UserError(
            f'{path} cannot be read as weights ({reason}): get it again or pass another'
        ) from error


def _kind(path: Path) -> str:
    """The usual ending of a file with this content.

    Raises:
        ValueError: It holds no arrays.
    """
    with path.open('rb') as file:
        start = file.read(9)
    if start.startswith(b'PK\x03\x04'):
        with zipfile.ZipFile(path) as archive:
            return '.pth' if any(name.endswith('/data.pkl') for name in archive.namelist()) else '.npz'
    if start.startswith(b'\x89HDF'):
        return '.h5'
    # The length of the JSON that follows comes first, and may begin with the first byte of a pickle.
    if start[8:] == b'{' and int.from_bytes(start[:8], 'little') < path.stat().st_size:
        return '.safetensors'
    if start.startswith(b'\x80'):  # a pickle, in which PyTorch kept weights before version 1.6
        return '.pth'
    raise ValueError('it is no HDF5, NumPy .npz, PyTorch or safetensors file')


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
