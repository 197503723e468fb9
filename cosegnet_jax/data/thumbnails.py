"""Photos identified by thumbnails of 8×8 pixels, whatever their files are called.

Copies of a photo that were saved again or resized have nearly the same thumbnail. No two of the 924 photos of
PASCAL-VOC co-segmentation, nor of the 208 of MSRC, are within three times `TOLERANCE`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int, UInt8
from PIL import Image

from cosegnet_jax.data.examples import Examples

SIDE = 8
TOLERANCE = 6  # levels of 256, of every channel of every pixel
_BLOCK = 256  # photos compared at a time


def thumbnails(examples: Examples) -> UInt8[np.ndarray, 'n 192']:
    """Return the 8×8 RGB pixels of each photo as one row; photos are read in blocks."""
    rows = [
        np.asarray(Image.fromarray(photo).resize((SIDE, SIDE), Image.Resampling.BOX)).reshape(-1)
        for photos in examples.photos(_BLOCK)
        for photo in photos
    ]
    return np.stack(rows) if rows else np.zeros((0, 3 * SIDE**2), np.uint8)


def look_alike(
    some: UInt8[np.ndarray, 'n 192'], others: UInt8[np.ndarray, 'm 192']
) -> Bool[np.ndarray, 'n m']:
    """Tell which photos are copies of which, up to `TOLERANCE`."""
    table = np.zeros((len(some), len(others)), bool)
    wide = others.astype(np.int16)
    for row, thumbnail in enumerate(some.astype(np.int16)):
        table[row] = (np.abs(wide - thumbnail) <= TOLERANCE).all(1)
    return table


def first_copies(examples: Examples) -> Int[np.ndarray, ' n']:
    """Find for each photo the first copy of it in a common class: mostly the photo itself."""
    first, found = np.arange(len(examples)), thumbnails(examples)
    for number in range(len(examples.classes)):
        members = np.flatnonzero((examples.labels == number).any(1))
        alike = look_alike(found[members], found[members])
        first[members] = np.minimum(first[members], members[alike.argmax(1)]) if len(members) else []
    return first[first]


def to_text(rows: UInt8[np.ndarray, 'n 192']) -> list[str]:
    """Encode thumbnails for JSON."""
    return [row.tobytes().hex() for row in rows]


def from_text(lines: list[str]) -> UInt8[np.ndarray, 'n 192']:
    """Decode thumbnails of `to_text`."""
    joined = bytes.fromhex(''.join(lines))
    return np.frombuffer(joined, np.uint8).reshape(len(lines), 3 * SIDE**2)
