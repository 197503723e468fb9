"""Items that are made when they are asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

T = TypeVar('T')


@dataclasses.dataclass(frozen=True, eq=False)
class OnDemand(Sequence, Generic[T]):
    """Looks like a list; makes an item each time it is asked for, and keeps none."""

    make: Callable[[int], T]
    rows: Any  # number of each item, as `make` takes it: a range or an array

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int | np.integer | slice | np.ndarray) -> T | OnDemand[T]:
        """One item, made now; or several, to be made when they are asked for."""
        if isinstance(index, int | np.integer):
            return self.make(int(self.rows[index]))
        return dataclasses.replace(self, rows=self.rows[index])
