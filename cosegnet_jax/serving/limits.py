"""What a visitor may give at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from cosegnet_jax.runtime.errors import UserError

_MEGA = 10**6


@dataclasses.dataclass(frozen=True)
class Limits:
    """Bounds on what is looked at together."""

    photos: int
    megabytes: float  # of all files together
    megapixels: float  # of each photo; `photo_reading.read` refuses larger ones

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return int(self.megabytes * _MEGA)

    @property
    def pixels(self) -> int:
        """Of each photo."""
        return int(self.megapixels * _MEGA)

    def __str__(self) -> str:
        return f'{self.photos} photos, {self.megabytes:g} MB together and {self.megapixels:g} megapixels each'


def check(files: Sequence[Path], limits: Limits) -> None:
    """Refuses files that are too few, too many or too large together; none is opened.

    Raises:
        UserError: They are.
    """
    count, size = len(files), sum(file.stat().st_size for file in files)
    if count < 2:
        raise UserError(f'{count} photo{"s" * (count != 1)}, and a pair takes two: drop more')
    if count > limits.photos:
        raise UserError(f'{count} photos, and {limits.photos} are taken at most: remove some')
    if size > limits.bytes:
        raise UserError(
            f'photos of {size / _MEGA:.1f} MB together, and {limits.megabytes:g} MB are taken at most: '
            f'remove some'
        )
