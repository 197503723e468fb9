"""Groups as partners: which of the objects in a photo the rest of its group shows, too."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Float32, Int8
from scipy import sparse

from cosegnet_jax.networks.partner import Places

PARTNERS = 8  # of a photo: the likeliest of its group
_TOGETHER = 64  # photos compared at a time
_KEPT = 1024  # photos whose places are in memory

Packed = Int8[np.ndarray, 'h w numbers']


def pack(places: Places) -> Int8[np.ndarray, 'n h w numbers']:
    """Round the places of photos to bytes: 127 stands for one."""
    numbers = np.concatenate([places.vectors, places.objects[..., None]], -1)
    return np.round(numbers * 127).astype(np.int8)


def unpack(packed: Int8[np.ndarray, 'n h w numbers']) -> Places:
    """Restore places from what `pack` made of each photo."""
    numbers = packed.astype(np.float32) / 127
    return Places(numbers[..., :-1], numbers[..., -1])


def compare_groups(
    compare: Callable[[Places, Places], Float32[np.ndarray, 'n h w']],
    places: Callable[[int], Packed],
    groups: Sequence[Sequence[int]],
    probabilities: Float[np.ndarray, 'n n'] | sparse.csr_array,
) -> dict[int, Float32[np.ndarray, 'h w']]:
    """Compare the photos of each group with one another.

    Args:
        compare: As `PartnerNetwork.compare`.
        places: Gives the places of a photo, from `pack`.
        groups: Photos that share an object.
        probabilities: That two photos share an object.

    Returns:
        For each photo of a group, by how much partners change the logit of each place, averaged over at
        most `PARTNERS` of them.
    """
    places = functools.lru_cache(_KEPT)(places)
    compared = {}
    for members in groups:
        for start in range(0, len(members), _TOGETHER):
            some = members[start : start + _TOGETHER]
            partners = [_likeliest(probabilities, photo, members) for photo in some]
            first = [places(photo) for photo, chosen in zip(some, partners, strict=True) for _ in chosen]
            second = [places(partner) for chosen in partners for partner in chosen]
            changes = iter(compare(*(unpack(np.stack(side)) for side in (first, second))))
            for photo, chosen in zip(some, partners, strict=True):
                compared[photo] = np.mean([next(changes) for _ in chosen], 0)
    return compared


def _likeliest(
    probabilities: Float[np.ndarray, 'n n'] | sparse.csr_array, photo: int, members: Sequence[int]
) -> list[int]:
    """Choose the partners of a photo; of equal ones, and where nothing is known, the first."""
    others = np.array([member for member in members if member != photo])
    if isinstance(probabilities, np.ndarray):
        row = probabilities[photo]
    else:
        known = slice(*probabilities.indptr[photo : photo + 2])
        row = np.zeros(len(probabilities.indptr) - 1, np.float32)
        row[probabilities.indices[known]] = probabilities.data[known]
    return others[np.argsort(-row[others], kind='stable')[:PARTNERS]].tolist()
