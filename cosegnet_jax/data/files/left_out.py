"""Folders that systems and programs make among photos; what is in them are thumbnails and deleted files."""

from __future__ import annotations

_NAMES = frozenset(
    {
        *('@eadir', '#recycle', '#snapshot', '@recycle', '@recently-snapshot', '@__thumb'),  # network storage
        *('$recycle.bin', 'recycler', 'system volume information'),  # Windows
        *('__macosx', '.trashes', '.spotlight-v100', '.fseventsd', '.appledouble'),  # macOS
        *(
            'network trash folder',
            'temporary items',
            'lost+found',
            '.trash',
            '.thumbnails',
            '.picasaoriginals',
        ),
    }
)


def is_left_out(name: str) -> bool:
    """Whether a folder of this name holds no photos of anybody."""
    return name.casefold() in _NAMES
