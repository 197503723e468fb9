"""Arrays of the formats that hold nothing but arrays: NumPy's .npz and .safetensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import safe_open


def read_npz(path: Path, prefix: str) -> dict[str, np.ndarray]:
    """Arrays whose name begins with `prefix`; pickled objects are refused."""
    with path.open('rb') as file:
        arrays = np.load(file, allow_pickle=False)
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise ValueError('it holds a single array')
        return {name: arrays[name] for name in arrays.files if name.startswith(prefix)}


def read_safetensors(path: Path, prefix: str) -> dict[str, np.ndarray]:
    """Arrays whose name begins with `prefix`."""
    with safe_open(path, framework='np') as arrays:
        return {name: arrays.get_tensor(name) for name in arrays.keys() if name.startswith(prefix)}  # noqa: SIM118
