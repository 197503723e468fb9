"""What is said of files that were read, but maybe not as they are meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

_NAMED = 3  # files in a line


class Doubts(NamedTuple):
    """What is doubtful about one photo and its mask."""

    turn_assumed: bool = False  # see `photos.PhotoAndMask`
    blank: str | None = None  # see `photos.find_blank`


NO_DOUBTS = Doubts()


def write_remarks(doubts: Mapping[str, Doubts], left_out: Mapping[str, int]) -> list[str]:
    """One line for each kind of doubt.

    Args:
        doubts: By the name of the image.
        left_out: Folders that hold no photos of anybody, such as '@eaDir', and how many files each had.
    """
    lines = []
    turned = [name for name, one in doubts.items() if one.turn_assumed]
    if turned:
        lines.append(
            f'{_few(turned)}: EXIF turns the photo, and its mask fits both as shown and as stored; read as '
            f'shown. mask_orientation=shown or mask_orientation=stored says which is right'
        )
    for what in sorted({one.blank for one in doubts.values() if one.blank}):
        lines.append(f'{_few([name for name, one in doubts.items() if one.blank == what])}: {what}')
    return lines + say_left_out(left_out)


def say_left_out(left_out: Mapping[str, int]) -> list[str]:
    """A line that counts the files in folders that hold no photos of anybody, if there are any."""
    count, folders = sum(left_out.values()), ', '.join(sorted(left_out))
    return [f'left out {count} file(s) in folders that systems and programs make ({folders})'] * bool(count)


def _few(names: Sequence[str]) -> str:
    more = f' and {len(names) - _NAMED} more' if len(names) > _NAMED else ''
    return ', '.join(names[:_NAMED]) + more
