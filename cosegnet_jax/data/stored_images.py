"""Pixels that are decoded on demand, for sets larger than the memory."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import UInt8

from cosegnet_jax.runtime.on_demand import OnDemand


@dataclasses.dataclass(frozen=True, eq=False)
class Stored(OnDemand):
    """Behaves as the array of all images, or of all masks, of a set, but decodes them on demand.

    Several threads call `make`, which decodes one record.
    """

    row_shape: tuple[int, ...]  # (height, width, 3) of images, (height, width) of masks

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return (len(self), *self.row_shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return int(np.prod(self.shape))

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> UInt8[np.ndarray, '...']:
        """Decode all of them."""
        out = np.empty(self.shape, np.uint8)

        def put(index: int) -> None:
            out[index] = self[index]

        in_threads(put, len(self))
        return out


def in_threads(do: Callable[[int], None], count: int) -> None:
    """Call `do` with 0 to count - 1 in threads; Pillow decodes and resizes without the interpreter's lock."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(do, range(count)):
            pass
