"""What every annotation format says of a photo: its group, and its mask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from cosegnet_jax.inference.cosegmentation import CoSegmentation


class Labeled(NamedTuple):
    """One photo."""

    name: str
    group: int  # from 1, the largest; 0 where the mask is empty
    mask: Bool[np.ndarray, 'height width']


def label(group: int) -> str:
    """How a group is called in an annotation tool."""
    return f'group {group}'


def labeled(found: CoSegmentation) -> Iterator[Labeled]:
    """All photos in their order; one mask is in memory at a time."""
    groups = {member: number for number, members in enumerate(found.groups, 1) for member in members}
    for index, name in enumerate(found.names):
        mask = found.masks[index]
        yield Labeled(name, groups[index] if mask.any() else 0, mask)
