"""Tensors of a PyTorch file, read without PyTorch and without running anything that the file holds.

PyTorch files are pickles, and a pickle may call any function of any module. This reader knows only the
few names that a dictionary of tensors is made of; every other name ends the reading before it is looked up.
"""

from __future__ import annotations

import collections
import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

# What opens a file written before PyTorch 1.6, or later with _use_new_zipfile_serialization=False.
_LEGACY_MAGIC, _LEGACY_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001

# BatchNorm counts its batches in int64: with it the reader can tell that a network is another one.
_DTYPES = {'FloatStorage': '<f4', 'DoubleStorage': '<f8', 'HalfStorage': '<f2', 'LongStorage': '<i8'}


class _Storage(NamedTuple):
    """A flat run of numbers, kept elsewhere in the file under `key`."""

    dtype: str
    key: str
    numel: int

    @property
    def nbytes(self) -> int:
        return self.numel * np.dtype(self.dtype).itemsize


class _Tensor(NamedTuple):
    """A view of a storage; offset and strides count elements."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def _rebuild_tensor(storage, offset, size, stride, *_autograd) -> _Tensor:
    return _Tensor(storage, offset, size, stride)


def _rebuild_parameter(tensor, *_autograd) -> _Tensor:
    return tensor


_GLOBALS = {
    ('collections', 'OrderedDict'): collections.OrderedDict,
    ('torch._utils', '_rebuild_tensor'): _rebuild_tensor,  # the published vgg16-397923af.pth
    ('torch._utils', '_rebuild_tensor_v2'): _rebuild_tensor,
    ('torch._utils', '_rebuild_parameter'): _rebuild_parameter,
    **{('torch', name): dtype for name, dtype in _DTYPES.items()},
}


class _TensorUnpickler(pickle.Unpickler):
    """Unpickles tensors as `_Tensor`, without their numbers, and refuses every other object."""

    def __init__(self, file: io.BufferedIOBase):
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}  # what the tensors were found to need, by key

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _GLOBALS:
            raise pickle.UnpicklingError(f'it asks for {module}.{name}; only float tensors are read')
        return _GLOBALS[module, name]

    def persistent_load(self, pid: tuple) -> _Storage:
        kind, dtype, key, _device, numel, *view = pid
        if kind != 'storage' or dtype not in _DTYPES.values() or any(part is not None for part in view):
            raise pickle.UnpicklingError(f'it stores numbers in an unknown way: {kind} {dtype}')
        self.storages[key] = _Storage(dtype, key, numel)
        return self.storages[key]


def _arrays(state: object, prefix: str, read: Callable[[_Storage], bytes]) -> dict[str, np.ndarray]:
    """Tensors of `state` whose name begins with `prefix`, their numbers fetched by `read`."""
    if not isinstance(state, dict):
        raise ValueError('it holds no dictionary of tensors')
    arrays = {}
    for name, tensor in state.items():
        if not (isinstance(tensor, _Tensor) and name.startswith(prefix)):
            continue
        storage, data = tensor.storage, read(tensor.storage)
        if len(data) != storage.nbytes:
            raise ValueError(f'the numbers of {name} are not all there')
        itemsize = np.dtype(storage.dtype).itemsize
        strides = tuple(step * itemsize for step in tensor.stride)
        # Told the strides, NumPy refuses a view that leaves the buffer at either end.
        arrays[name] = np.ndarray(tensor.size, storage.dtype, data, tensor.offset * itemsize, strides)
    return arrays


def _read_zip(file: io.BufferedIOBase, prefix: str) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(file) as archive:
        (index,) = (name for name in archive.namelist() if name.endswith('/data.pkl'))
        root = index.removesuffix('data.pkl')
        if f'{root}byteorder' in archive.namelist() and archive.read(f'{root}byteorder') != b'little':
            raise ValueError('its numbers are big-endian')
        state = _TensorUnpickler(io.BytesIO(archive.read(index))).load()
        return _arrays(state, prefix, lambda storage: archive.read(f'{root}data/{storage.key}'))


def _read_legacy(file: io.BufferedIOBase, prefix: str) -> dict[str, np.ndarray]:
    # Five pickles (magic number, protocol, the writer's type sizes, tensors, keys of the storages), then each
    # storage as its length in elements and its little-endian numbers, whose type only the tensors tell.
    if [_TensorUnpickler(file).load() for _ in range(2)] != [_LEGACY_MAGIC, _LEGACY_PROTOCOL]:
        raise ValueError('it begins with neither of the two signatures of PyTorch')
    _TensorUnpickler(file).load()
    tensors = _TensorUnpickler(file)
    state = tensors.load()
    starts = {}
    for key in _TensorUnpickler(file).load():
        (numel,) = struct.unpack('<q', file.read(8))
        if numel != tensors.storages[key].numel:
            raise ValueError(f'storage {key} has another length than its tensors')
        starts[key] = file.tell()
        file.seek(tensors.storages[key].nbytes, io.SEEK_CUR)

    def read(storage: _Storage) -> bytes:
        file.seek(starts[storage.key])
        return file.read(storage.nbytes)

    return _arrays(state, prefix, read)


def read_torch(path: Path, prefix: str) -> dict[str, np.ndarray]:
    """Tensors of a saved state dictionary whose name begins with `prefix`; the others are skipped.

    Args:
        path: A .pth file, of the zip format or of the legacy one before it.
        prefix: Beginning of the names of interest.

    Raises:
        ValueError: The file is damaged, holds something else, or asks for more than tensors.
    """
    with path.open('rb') as file:
        zipped = file.read(4) == b'PK\x03\x04'
        file.seek(0)
        try:
            return (_read_zip if zipped else _read_legacy)(file, prefix)
        except Exception as error:  # a damaged or hostile pickle can raise anything
            raise ValueError(str(error) or type(error).__name__) from error
