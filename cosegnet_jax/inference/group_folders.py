"""The groups as people take them away: a folder of links to photos for each, and a table."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.runtime.errors import UserError

FOLDER = 'groups'
Kind = Literal['links', 'copies']


def placed(found: CoSegmentation, names: Sequence[str]) -> dict[str, int]:
    """The number of each photo by its place inside OUT, such as 'groups/group 1/cow/a.jpg'; no outliers.

    Args:
        found: What was found.
        names: Of the photos, inside OUT; all different.
    """
    return {
        f'{FOLDER}/group {number}/{names[member]}': member
        for number, members in enumerate(found.groups, 1)
        for member in members
    }


def link(out: Path, photos: Mapping[str, Path]) -> None:
    """Fills the folders with links, which take no space; files of the user stay.

    Args:
        out: The folder of results, from which `remove_links` removed those of earlier calls.
        photos: The photo of each place inside `out`.

    Raises:
        UserError: A link cannot be made.
    """
    try:
        for place, photo in photos.items():
            path = out / place
            path.parent.mkdir(parents=True, exist_ok=True)
            if not os.path.lexists(path):
                path.symlink_to(os.path.relpath(os.path.abspath(photo), os.path.abspath(path.parent)))
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, 'strerror', None) or 'no links there'
        raise UserError(f'{out / FOLDER}: {reason}; try --groups=copies') from error


def remove_links(out: Path) -> None:
    """Empties the folders of links, and removes those that are empty then.

    Raises:
        UserError: A link cannot be removed.
    """
    try:
        for path in sorted((out / FOLDER).rglob('*'), reverse=True):
            if path.is_symlink():
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
    except OSError as error:
        raise UserError(f'{error.filename}: {error.strerror}; fix that and start again') from error


def table(found: CoSegmentation, masks: Sequence[str], cutouts: Sequence[str]) -> str:
    """CSV with a line for each photo: its group, how like the rest of it, and its files.

    The group is empty for photos that belong to none, and 'likeness' is the mean probability of sharing an
    object with the other photos of the group.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator='\n')
    writer.writerow(['photo', 'group', 'likeness', 'mask', 'cutout'])
    group = {member: number for number, members in enumerate(found.groups, 1) for member in members}
    likeness = {
        member: value
        for members in found.groups
        for member, value in zip(members, _likeness(found, members), strict=True)
    }
    for index, name in enumerate(found.names):
        alone = index not in group
        row = ['', ''] if alone else [group[index], f'{likeness[index]:.3f}']
        writer.writerow([name, *row, masks[index], cutouts[index]])
    return file.getvalue()


def _likeness(found: CoSegmentation, members: Sequence[int]) -> np.ndarray:
    """Mean probability of each member with the others; of the pairs that were decided."""
    if isinstance(found.probabilities, np.ndarray):
        inside = found.probabilities[np.ix_(members, members)].astype(np.float64)
        return (inside.sum(1) - 1) / max(len(members) - 1, 1)
    inside = found.probabilities[members][:, members]
    decided = np.maximum(np.diff(inside.tocsr().indptr) - 1, 1)
    return (np.asarray(inside.sum(1)).ravel() - 1) / decided
