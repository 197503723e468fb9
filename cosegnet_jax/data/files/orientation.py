"""How an image is to be turned: what its file says, and what becomes of its mask.

EXIF numbers eight orientations: 1 is upright, 2 to 4 mirror or turn by half, 5 to 8 also swap width and
height. The number is read here from the bytes, entry by entry, because a damaged entry beside it must not
hide it.
"""

from __future__ import annotations

import re
import struct
from typing import Literal

from PIL import ExifTags, Image

MaskOrientation = Literal['auto', 'shown', 'stored']
_TAG = ExifTags.Base.Orientation
_WIDTHS = {1: 'B', 3: 'H', 4: 'I'}  # types of an entry that a number can have: BYTE, SHORT, LONG
_XMP = re.compile(rb'tiff:Orientation(?:=["\']|>)\s*([1-8])')
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_UNDOING = {6: 8, 8: 6}  # the others undo themselves
_EXIF, _EXIF_TEXT = 'exif', 'Raw profile type exif'  # where Pillow keeps what states the orientation
_XMP_KEYS = ('xmp', 'XML:com.adobe.xmp')


def read_orientation(image: Image.Image) -> int | None:
    """The orientation that a file states, 1 to 8; None where it states none that can be read.

    Args:
        image: As it was opened: Pillow forgets the number of a TIFF when it reads the pixels.
    """
    if image.format == 'TIFF':
        return _of_tiff(image)
    info = image.info
    for exif in (info.get(_EXIF), _unpack_profile(info.get(_EXIF_TEXT))):
        found = _of_exif(exif) if isinstance(exif, bytes) else None
        if found:
            return found
    for xmp in map(info.get, _XMP_KEYS):
        text = xmp.encode('utf-8', 'replace') if isinstance(xmp, str) else xmp
        match = _XMP.search(text) if isinstance(text, bytes) else None
        if match:
            return int(match[1])
    return None


def turn(image: Image.Image, orientation: int | None) -> Image.Image:
    """The image as it is to be seen, where its pixels are stored in this orientation.

    An image that was turned states no orientation: whoever reads it next must not turn it again.
    """
    if orientation not in _TURNS:
        return image
    turned = image.transpose(_TURNS[orientation])
    for key in (_EXIF, _EXIF_TEXT, *_XMP_KEYS):
        turned.info.pop(key, None)
    return turned


def turn_back(image: Image.Image, orientation: int | None) -> Image.Image:
    """The image as it was stored, where `turn` has turned it."""
    return turn(image, _UNDOING.get(orientation or 1, orientation))


def swaps_sides(orientation: int | None) -> bool:
    """Whether width and height of what is stored are height and width of what is shown."""
    return orientation in (5, 6, 7, 8)


def fit_mask(
    mask: Image.Image,
    own: int | None,
    size: tuple[int, int],
    orientation: int | None,
    rule: MaskOrientation,
) -> tuple[Image.Image | None, bool]:
    """A mask as its photo is shown, and whether its orientation had to be assumed.

    A mask that states its orientation is turned by it. Of one that states none, the size decides where it
    fits the photo either as it is shown or as it is stored. Where it fits both ways, `rule` decides, and
    'auto' assumes that the mask was drawn on the photo as it is shown.

    Args:
        mask: Turned as its own file says.
        own: The orientation that its file states.
        size: Width and height of the photo as it is shown.
        orientation: That the photo's file states.
        rule: From the configuration.

    Returns:
        None in place of the mask if it has another size than the photo.
    """
    if own is None:
        as_stored = turn(mask, orientation)
        fits_shown, fits_stored = mask.size == size, as_stored.size == size
        if not (fits_shown and fits_stored) or orientation not in _TURNS:
            return (mask if fits_shown else as_stored if fits_stored else None), False
        matters = mask.tobytes() != as_stored.tobytes()
        return (as_stored if rule == 'stored' else mask), rule == 'auto' and matters
    drawn = turn_back(mask, own)
    # Its own word first; then a program has copied the photo's, or written 1 to what it had not turned.
    for candidate in (mask, drawn, turn(drawn, orientation)):
        if candidate.size == size:
            return candidate, False
    return None, False


def _of_tiff(image: Image.Image) -> int | None:
    try:
        number = getattr(image, 'tag_v2', {}).get(_TAG)
    except Exception:  # whatever the damage, the pixels may be sound
        return None
    return number if number in range(1, 9) else None


def _of_exif(exif: bytes) -> int | None:
    exif = exif.removeprefix(b'Exif\0\0')
    order = {b'II*\0': '<', b'MM\0*': '>'}.get(exif[:4])
    if order is None or len(exif) < 10:
        return None
    (start,) = struct.unpack_from(f'{order}I', exif, 4)
    if start + 2 > len(exif):
        return None
    (count,) = struct.unpack_from(f'{order}H', exif, start)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(exif) - 11), 12):
        tag, kind, values = struct.unpack_from(f'{order}HHI', exif, entry)
        if tag == _TAG and kind in _WIDTHS and values == 1:
            (number,) = struct.unpack_from(f'{order}{_WIDTHS[kind]}', exif, entry + 8)
            return number if number in range(1, 9) else None
    return None


def _unpack_profile(profile: object) -> bytes | None:
    """EXIF as ImageMagick hides it in the text of a PNG: a name, a length, and hexadecimal digits."""
    if not isinstance(profile, str):
        return None
    try:
        return bytes.fromhex(''.join(profile.split('\n')[3:]))
    except ValueError:
        return None
