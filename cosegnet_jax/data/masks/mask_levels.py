"""The gray levels of a mask that are its object, where the levels make it certain.

A mask has two plateaus, black and white. Between them there are at most the soft edge of the object, the
noise of a lossy format, or the slope of a probability. Numbers of classes and instances look different: they
form flat areas between black and white, side by side in any order.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Shaped
from scipy import ndimage

_WHITES = (
    255.0,
    1023.0,
    4095.0,
    16383.0,
    32767.0,
    65535.0,
)  # the largest of 8 bits, 10, 12, 14, 15, 16
_BRIGHT = 0.94  # of white; what is flat and brighter is white
_DARK, _NEARLY_ALL = 8 / 255, 0.98  # of white; of the pixels that are flat and no brighter
_STRAY = 0.001  # of the pixels may be flat by chance in a lossy format
_NOISY = 64  # levels or more: of a lossy format, whatever the file's own is
_FAR = 0.13  # of white; levels at least so far from black and from white are between them
_BETWEEN = 0.3  # of the pixels; a picture with more of them between is no mask
_MANY = 16  # levels; a drawing of numbers rarely has more
_WIDE = 13  # pixels, the side of a window in which a slope with flat parts cannot rise far
_FAR_RISE = 0.35  # of white
_CLEAN = 0.95  # of a slope's flat parts rise no further
_PLATEAU, _EVEN = 5, 2 / 255  # side of a window in pixels, and of white: an area in a lossy format
_NAMED = 4  # levels in a message
_REACH = 33  # pixels, the side of a window around the edge of an object, where a lossy format is noisy
_FILTERS = (ndimage.minimum_filter, ndimage.maximum_filter)

Levels = Shaped[np.ndarray, 'height width']


class UnclearLevelsError(Exception):
    """The levels do not make certain what the object is; the text says which levels, and why."""


def find_object(levels: Levels, noise: int | None) -> Bool[np.ndarray, 'height width']:
    """Mark the object.

    Args:
        levels: Integers of any width, or finite floating point numbers.
        noise: As of `LoadedImage`.

    Raises:
        UnclearLevelsError: The levels do not tell.
    """
    used = np.unique(levels)
    if used[0] < 0:
        raise UnclearLevelsError(f'has levels below 0, down to {used[0]:g}')
    if set(used[:3].tolist()) <= {0, 1}:
        return levels == 1
    white = _white(used)
    if white == 1 and len(used) > _MANY:  # probabilities
        if used[-1] < 0.5:
            raise UnclearLevelsError(f'has probabilities up to {used[-1]:g}, of which none is one half')
    elif used[-1] < _BRIGHT * white:
        raise _looks_like_numbers(used)
    between = (levels > _FAR * white) & (levels < (1 - _FAR) * white)
    if len(used) > _MANY and between.mean() > _BETWEEN:
        raise UnclearLevelsError(
            f'is between black and white on {between.mean():.0%} of its pixels, as a photo is and no mask'
        )
    if noise is None and len(used) == 3 and between.any():
        raise _looks_like_numbers(used)  # a soft edge has more levels than one
    if noise is not None:
        _check_plateaus(levels, white)
    flat, lossy = _flat(levels), noise is not None or len(used) >= _NOISY
    odd = flat & (levels > (noise or 0) * white / 255) & (levels < _BRIGHT * white)
    if lossy:
        odd &= levels != _black(levels[flat & (levels <= _DARK * white)])
    if odd.mean() > _STRAY * lossy and not _is_slope(levels, odd, white):
        raise _looks_like_numbers(used)
    return levels >= white / 2


def _white(used: Shaped[np.ndarray, ' n']) -> float:
    if used.dtype.kind == 'f' and used[-1] <= 1:
        return 1.0
    return next((white for white in _WHITES if used[-1] <= white), float(used[-1]) * 2)


def _black(dark: Shaped[np.ndarray, ' n']) -> int | float:
    """Find the level to which a lossy format moved black: that of nearly all dark flat pixels, or 0."""
    found, counts = np.unique(dark, return_counts=True)
    return found[counts.argmax()].item() if counts.size and counts.max() >= _NEARLY_ALL * len(dark) else 0


def _commonest(levels: Shaped[np.ndarray, ' n']) -> float:
    found, counts = np.unique(levels, return_counts=True)
    return float(found[counts.argmax()]) if found.size else 0.0


def _looks_like_numbers(used: Shaped[np.ndarray, ' n']) -> UnclearLevelsError:
    named = ', '.join(f'{level:g}' for level in used[:_NAMED])
    more = f' and {len(used) - _NAMED} more' if len(used) > _NAMED else ''
    return UnclearLevelsError(
        f'has the levels {named}{more}, which look like numbers of classes or instances'
    )


def _check_plateaus(levels: Levels, white: float) -> None:
    """Refuse a mask of a lossy format that has other areas than black and white ones.

    What the format adds, and what is soft, lies near the edge of the object. Elsewhere it leaves black and
    white nearly as they were, and so it does the numbers of classes.
    """
    bright = levels >= white / 2
    near = ndimage.maximum_filter(bright, _REACH) != ndimage.minimum_filter(bright, _REACH)
    flat = _flat(levels, _PLATEAU, _EVEN * white)
    away, dark = flat & ~near, levels <= _DARK * white
    black = _commonest(levels[away & dark])
    other = away & (levels < _BRIGHT * white) & (~dark | (np.abs(levels - black) > _EVEN * white))
    if other.mean() > _STRAY:
        raise UnclearLevelsError(
            f'has areas of level {_commonest(levels[other]):g} away from the edge of an object, '
            f'which look like numbers of classes or instances'
        )


def _flat(levels: Levels, side: int = 3, even: float = 0) -> Bool[np.ndarray, 'height width']:
    """Mark where the levels of the `side` x `side` pixels around one differ by no more than `even`."""
    most, least = (of(levels, side) for of in _FILTERS[::-1])
    return most - least <= even  # unsigned: most is never less


def _is_slope(levels: Levels, odd: Bool[np.ndarray, 'height width'], white: float) -> bool:
    """Tell whether flat areas between black and white are steps of a slope.

    Near such a step the levels rise and fall a little, to darker and brighter ones. The area of a class or an
    instance ends at a steep border.
    """
    darkest, brightest = (of(levels, _WIDE)[odd].astype(float) for of in _FILTERS)
    here = levels[odd].astype(float)
    rise = np.maximum(brightest - here, here - darkest)
    if (rise[rise > 0] <= _FAR_RISE * white).mean() < _CLEAN:
        return False
    return all(
        (darkest[here == level] < level).any() and (brightest[here == level] > level).any()
        for level in np.unique(here)
    )
