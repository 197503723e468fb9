"""What is written about a collection: masks, and which photos belong together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32
from PIL import Image
from scipy import sparse

from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.runtime.errors import printable
from cosegnet_jax.runtime.names import compose, shorten

_SHOWN = 4  # names of a group in a summary


class Skipped(NamedTuple):
    """A file that could not be read, or that shows next to nothing."""

    name: str
    reason: str


def mask_names(names: Sequence[str]) -> list[str]:
    """The mask of each photo, as a path inside OUT: that of 'cow/a.jpg' is 'masks/cow/a.png'."""
    return [f'masks/{name}' for name in renamed(names, '.png')]


def renamed(names: Sequence[str], suffix: str) -> list[str]:
    """The names of photos with another suffix, all of them different.

    'cow/a.jpg' becomes 'cow/a.png'; but where another photo might claim that name, as 'cow/a.webp' would, it
    is 'cow/a.jpg.png'. Letters that differ in case only, or in how an accent is encoded, are the same to some
    file systems. A name that would be too long for a file is shortened.
    """

    def both(name: str) -> tuple[str, str]:
        return shorten(str(PurePosixPath(name).with_suffix(suffix))), shorten(f'{name}{suffix}')

    def folded(name: str) -> str:
        return compose(name).casefold()

    claims = Counter(claim for name in names for claim in set(map(folded, both(name))))
    return [short if claims[folded(short)] == 1 else long for short, long in map(both, names)]


def cutout_names(names: Sequence[str]) -> list[str]:
    """The cut-out of each photo, as a path inside OUT."""
    return [f'cutouts/{name}' for name in renamed(names, '.png')]


def write_cutout(path: Path, cutout: Image.Image) -> None:
    """Writes a transparent PNG; quickly, as what is cut off takes no space."""
    cutout.save(path, 'PNG', compress_level=1)


def write_mask(path: Path, mask: Bool[np.ndarray, 'height width']) -> None:
    """Writes a PNG, 255 where the object is and 0 elsewhere."""
    Image.fromarray(mask.astype(np.uint8) * 255).save(path, 'PNG')


def document(
    found: CoSegmentation,
    masks: Sequence[str],
    threshold: float,
    skipped: Sequence[Skipped],
    doubtful: Sequence[Skipped],
    changed: Sequence[str],
) -> dict[str, Any]:
    """The content of pairs.json; groups and outliers are numbers of photos, from 0.

    Probabilities are rounded to six decimals: a matrix; or, where only some pairs were decided, a list of
    'pairs', each two photos, the lower number first, and their probability.
    """
    return {
        'threshold': threshold,
        'mask_threshold': found.mask_threshold,
        'names': list(found.names),
        'masks': list(masks),
        'groups': found.groups,
        'outliers': found.outliers,
        'skipped': [one._asdict() for one in skipped],
        'doubtful': [one._asdict() for one in doubtful],  # photos that were used and show next to nothing
        'changed': list(changed),  # files of photos that a person has changed, and that were left
        **_decisions(found.probabilities),
    }


def _decisions(probabilities: Float32[np.ndarray, 'n n'] | sparse.csr_array) -> dict[str, Any]:
    if isinstance(probabilities, np.ndarray):
        return {'probabilities': probabilities.astype(np.float64).round(6).tolist()}
    pairs = sparse.triu(probabilities, 1, 'coo')
    values = pairs.data.astype(np.float64).round(6)
    decided = zip(pairs.row.tolist(), pairs.col.tolist(), values.tolist(), strict=True)
    return {'pairs': [list(pair) for pair in decided]}


def summary(found: CoSegmentation, threshold: float) -> str:
    """Groups and outliers in words."""
    lines = [f'{len(found.names)} photos at threshold {threshold:g}: {len(found.groups)} group(s)']
    lines += [f'group {number}: {_few(some, found)}' for number, some in enumerate(found.groups, 1)]
    return '\n'.join([*lines, f'outliers: {_few(found.outliers, found)}'])


def _few(members: Sequence[int], found: CoSegmentation) -> str:
    shown = ', '.join(printable(found.names[member]) for member in members[:_SHOWN])
    return f'{len(members)} photos{shown and f" ({shown}"}{", …" * (len(members) > _SHOWN)}{shown and ")"}'
