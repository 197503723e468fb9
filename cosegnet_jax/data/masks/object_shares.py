"""The area of the objects of each class, and warnings where it is improbable.

Inverted masks still train, and score well. But objects are inside of pictures: of 1,245 masks of PASCAL VOC
and MSRC, few mark the rim of the picture more than the rest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cosegnet_jax.data.examples import Examples

_SAMPLE = 100  # images of a class that are read
_ALL, _NONE = 0.95, 0.0005  # of a photo: more or less than that is no object
_RIM = 0.5  # of the rim, where that is more than of the photo
_OFTEN, _MOSTLY = 0.2, 0.5  # of the images of a class; photos without the object are common
_ADVICE = 'look at some of them (docs/data.md)'


class _Marked(NamedTuple):
    area: float  # of the photo
    rim: float  # of its outermost pixels


def describe_shares(examples: Examples) -> list[str]:
    """Write a line with the mean area of the objects of each class, and a warning for each improbable one.

    Of large classes some images are read, evenly spread.
    """
    marked = {name: _marked(examples, number) for number, name in enumerate(examples.classes)}
    shares = [
        f'{name} {np.mean([one.area for one in visible]) if visible else 0:.0%}'
        for name, all_of_class in marked.items()
        for visible in [[one for one in all_of_class if one.area]]
    ]
    warnings = [line for name in marked for line in _warn(name, marked[name])]
    return [f'objects cover, on average, this much of a photo: {", ".join(shares)}', *warnings]


def _marked(examples: Examples, number: int) -> list[_Marked]:
    rows, places = np.nonzero(examples.labels == number)
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE)).astype(int)
    found = []
    for index in chosen:
        inside = np.asarray(examples.masks[int(rows[index])]) == places[index] + 1
        rim = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
        found.append(_Marked(float(inside.mean()), float(rim.mean())))
    return found


def _warn(name: str, marked: list[_Marked]) -> list[str]:
    inverted = [one.rim >= _RIM and one.area < _ALL and one.rim > one.area for one in marked]
    kinds = [
        ('nothing or nearly nothing', [one.area <= _NONE for one in marked], _MOSTLY),
        ('nearly the whole photo', [one.area >= _ALL for one in marked], _OFTEN),
        ('the rim of the photo more than the rest, as an inverted mask does', inverted, _OFTEN),
    ]
    return [
        f'warning: {name}: {sum(found)} of {len(found)} masks mark {what}; {_ADVICE}'
        for what, found, share in kinds
        if sum(found) > share * len(found)
    ]
