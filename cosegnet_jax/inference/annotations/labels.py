"""What every annotation format says of a photo: its group, and its mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.runtime.on_demand import OnDemand


class Labeled(NamedTuple):
    """One photo."""

    name: str
    group: int  # from 1, the largest; 0 where the mask is empty
    mask: Bool[np.ndarray, 'height width']


def label(group: int) -> str:
    """How a group is called in an annotation tool."""
    return f'group {group}'


def labeled(found: CoSegmentation) -> Sequence[Labeled]:
    """All photos in their order; each is made when asked for, so that one mask is in memory."""
    groups = {member: number for number, members in enumerate(found.groups, 1) for member in members}

    def one(index: int) -> Labeled:
        mask = found.masks[index]
        return Labeled(found.names[index], groups[index] if mask.any() else 0, mask)

    return OnDemand(one, range(len(found.names)))
