"""The keys that decide how to read masks where their files do not tell."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Integer

from cosegnet_jax.data.files.orientation import MaskOrientation
from cosegnet_jax.runtime.errors import UserError

_EVERY = 'nonzero'
_RANGE = re.compile(r'(\d{1,10})(?:-(\d{1,10}))?')

Ranges = tuple[tuple[int, int], ...]  # first and last number of each


@dataclasses.dataclass(frozen=True)
class MaskValues:
    """Numbers of the object, for every class folder or for some of them."""

    text: str = ''  # as `parse` takes it
    ranges: Mapping[str, Ranges] = dataclasses.field(default_factory=dict)  # by class; '' is every class

    def of(self, class_name: str) -> Ranges | None:
        """Return the numbers of a class; None where the file decides.

        Raises:
            UserError: Other classes have numbers and this one has none.
        """
        if not self.ranges:
            return None
        found = self.ranges.get('', ()) + (self.ranges.get(class_name, ()) if class_name else ())
        if not found:
            raise UserError(
                f'mask_values={self.text}: names no number of the class {class_name}; '
                f'add {class_name}:NUMBER to it'
            )
        return found


@dataclasses.dataclass(frozen=True)
class MaskRules:
    """The user's rules for all masks of a set."""

    values: MaskValues = MaskValues()
    orientation: MaskOrientation = 'auto'


BY_FILE = MaskRules()  # each file decides


def parse(text: str) -> MaskValues:
    """Read the key.

    Args:
        text: Numbers and ranges with commas between, such as '1' or '1,3-5'; 'nonzero' for every number but
            0; with the name of a class folder before them, such as 'cow:17,car:3', they are of that class.
            '' lets each file decide.

    Raises:
        UserError: It is none of these.
    """
    ranges: dict[str, Ranges] = {}
    for item in filter(None, (part.strip() for part in text.split(','))):
        name, _, numbers = item.rpartition(':')
        match = _RANGE.fullmatch(numbers)
        if numbers == _EVERY:
            first, last = 1, 2**63 - 1
        elif match:
            first, last = int(match[1]), int(match[2] or match[1])
        else:
            first, last = 1, 0
        if first > last:
            raise UserError(
                f'mask_values={text}: {item} is no number; give numbers such as 1 or 3-5 with commas '
                f'between, {_EVERY} for all but 0, or cow:17,car:3 where each class has its own'
            )
        ranges[name] = (*ranges.get(name, ()), (first, last))
    return MaskValues(text, ranges)


def select(numbers: Integer[np.ndarray, 'height width'], ranges: Ranges) -> Bool[np.ndarray, 'height width']:
    """Mark the numbers that are in one of the ranges."""
    inside = np.zeros(numbers.shape, bool)
    for first, last in ranges:
        inside |= (numbers >= first) & (numbers <= min(last, np.iinfo(numbers.dtype).max))
    return inside
