"""Files of images without what is not needed to decode their pixels."""

from __future__ import annotations

import struct
import zlib

_PNG = b'\x89PNG\r\n\x1a\n'
_PNG_KEPT = frozenset({b'IHDR', b'PLTE', b'tRNS', b'IDAT', b'IEND'})
_JPEG_KEPT = frozenset({0xE0, 0xEE})  # JFIF and Adobe say what the channels are
_WEBP_FLAGS = {b'ICCP': 0x20, b'EXIF': 0x08, b'XMP ': 0x04}  # in the chunk that lists the others


def strip_metadata(data: bytes, keep_exif: bool) -> bytes:
    """A PNG, JPEG or WebP without metadata; any other file, or a broken one, as it is.

    Args:
        data: The file.
        keep_exif: Whether EXIF stays, which holds the orientation.
    """
    try:
        if data.startswith(_PNG):
            return _png(data, keep_exif)
        if data.startswith(b'\xff\xd8'):
            return _jpeg(data, keep_exif)
        if data[:4] == b'RIFF' and data[8:12] == b'WEBP':
            return _webp(data, keep_exif)
    except (struct.error, IndexError):  # it ends in the middle of something
        pass
    return data


def _png(data: bytes, keep_exif: bool) -> bytes:
    parts, place = [_PNG], len(_PNG)
    kept = _PNG_KEPT | ({b'eXIf'} if keep_exif else set())
    while place < len(data):
        (length,) = struct.unpack_from('>I', data, place)
        kind = data[place + 4 : place + 8]
        chunk = data[place : place + 12 + length]
        if kind == b'eXIf' and kind in kept:  # a wrong checksum there is no reason to lose the pixels
            chunk = chunk[:-4] + struct.pack('>I', zlib.crc32(chunk[4:-4]))
        if kind in kept:
            parts.append(chunk)
        place += 12 + length
    return b''.join(parts)


def _jpeg(data: bytes, keep_exif: bool) -> bytes:
    parts, place = [data[:2]], 2
    while data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xDA:  # pixels follow, to the end
            break
        (length,) = struct.unpack_from('>H', data, place + 2)
        segment = data[place : place + 2 + length]
        is_exif = keep_exif and segment[4:10] == b'Exif\0\0'
        is_metadata = 0xE0 <= marker <= 0xEF or marker == 0xFE
        if not is_metadata or marker in _JPEG_KEPT or is_exif:
            parts.append(segment)
        place += 2 + length
    return b''.join([*parts, data[place:]])


def _webp(data: bytes, keep_exif: bool) -> bytes:
    parts, place = [], 12
    dropped = set(_WEBP_FLAGS) - ({b'EXIF'} if keep_exif else set())
    while place + 8 <= len(data):
        (length,) = struct.unpack_from('<I', data, place + 4)
        end = place + 8 + length + length % 2
        kind, chunk = data[place : place + 4], bytearray(data[place:end])
        if kind == b'VP8X':
            chunk[8] &= ~sum(_WEBP_FLAGS[one] for one in dropped)
        if kind not in dropped:
            parts.append(chunk)
        place = end
    body = b'WEBP' + b''.join(parts)
    return b'RIFF' + struct.pack('<I', len(body)) + body
