"""Files of images: which there are, and how one is opened whatever its metadata say.

Only the pixels of a file count. Metadata that are damaged are passed over: EXIF that is none, a profile that
cannot be unpacked, a chunk with a wrong checksum. Where the orientation can still be read, it is obeyed.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from cosegnet_jax.data.files.orientation import read_orientation, turn
from cosegnet_jax.data.files.strip_metadata import strip_metadata
from cosegnet_jax.runtime.errors import UserError

MEGA = 10**6
HEIC = frozenset({'.heic', '.heif', '.hif'})
# Files of other kinds are passed over. Pillow reads HEIC with a plugin only; without it they are an
# error rather than photos that are missing and nobody noticed.
SUFFIXES = (
    frozenset({'.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.bmp', '.webp', '.tif', '.tiff', '.gif'})
    | {'.ppm', '.pgm', '.jp2', '.avif'}
    | HEIC
)
# What cameras write before any picture is made of it. Nothing here reads them, but they are photos to people.
RAW = frozenset(
    {'.3fr', '.arw', '.cr2', '.cr3', '.crw', '.dcr', '.dng', '.erf', '.fff', '.iiq', '.kdc', '.mef', '.mos'}
    | {'.mrw', '.nef', '.nrw', '.orf', '.pef', '.raf', '.raw', '.rw2', '.rwl', '.sr2', '.srf', '.srw', '.x3f'}
)
_way_out = ''  # of images with too many pixels; see `limit_pixels`
RAW_ADVICE = 'a RAW file of a camera; convert it to JPEG or PNG'
# Of 255: what a lossy format makes of flat black.
_NOISE = {'JPEG': 0, 'MPO': 0, 'WEBP': 8, 'JPEG2000': 8, 'AVIF': 8, 'HEIF': 8}


class LoadedImage(NamedTuple):
    """An image with all its pixels in memory, so that no later step can fail on the file."""

    image: Image.Image  # upright
    orientation: int | None  # EXIF number, 1 to 8, that the file states; None where it states none
    noise: int | None  # of 255: the largest level that its format makes of flat black; None if it is lossless


def load(path: Path) -> LoadedImage:
    """The image in a file, turned as its own orientation says.

    Raises:
        UserError: It cannot be read, or has more pixels than `limit_pixels` allows.
    """
    size = _size(path)
    if path.suffix.lower() in RAW:  # Pillow would take the thumbnail in some of them for the photo
        raise UserError(f'{path}: {RAW_ADVICE}')
    try:
        with quiet:
            return _decode(path)
    except Image.DecompressionBombError:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0) / MEGA
        raise UserError(
            f'{path}: more than {limit:.4g} megapixels, so many that it may be made to exhaust the memory; '
            f'make it smaller or remove it{_way_out}'
        ) from None
    except Exception as error:  # each decoder has its own for damage: OSError, SyntaxError, RuntimeError, ...
        if isinstance(error, UnidentifiedImageError) and _is_heic(path) and not _reads_heic():
            raise UserError(
                f"{path}: HEIC takes pillow-heif; pip install 'cosegnet-jax[heic]', or convert it to JPEG"
            ) from None
        problem = 'not an image that can be read' if size else 'an empty file'
        raise UserError(
            f'{path}: {problem} ({type(error).__name__}); replace it by a sound JPEG or PNG, or remove it'
        ) from error


def limit_pixels(count: int | None, way_out: str = '') -> None:
    """Lets `load` refuse images of more pixels, in this process; at first 179 million.

    It is Pillow's own limit, which every other reader of this process obeys too.

    Args:
        count: None leaves the limit as it is.
        way_out: What else than a smaller image helps, for the end of the message, such as a flag.
    """
    global _way_out
    _way_out = f', or {way_out}' if way_out else ''
    if count is not None:
        Image.MAX_IMAGE_PIXELS = count / 2  # Pillow warns from here on, and refuses from twice as many


def upright(image: Image.Image) -> LoadedImage:
    """An image that a program has opened, turned as its orientation says.

    Raises:
        UserError: Its pixels cannot be read.
    """
    try:
        with quiet:
            return _loaded(image)
    except Exception as error:
        name = getattr(image, 'filename', '') or 'image'
        raise UserError(
            f'{name}: its pixels cannot be read ({type(error).__name__}); open it again'
        ) from error


def is_plain(data: bytes) -> bool:
    """Whether every reader of JPEG and PNG gets the same from a file: upright 8-bit RGB, and sound."""
    try:
        with quiet, Image.open(io.BytesIO(data)) as image:
            if image.format == 'PNG':
                image.load()  # what follows the pixels may be damaged, or turn them
            return (
                image.format in ('JPEG', 'MPO', 'PNG')  # MPO: a JPEG with more behind it
                and image.mode == 'RGB'
                and not image.has_transparency_data
                and read_orientation(image) in (None, 1)
                and not (image.format == 'PNG' and data[24] == 16)  # bits a channel; the mode does not tell
            )
    except Exception:  # `load` could read it without its metadata only
        return False


def _decode(path: Path) -> LoadedImage:
    if path.suffix.lower() in HEIC:
        _reads_heic()
    try:
        with Image.open(path) as image:
            return _loaded(image)
    except Image.DecompressionBombError:
        raise
    except Exception:
        # Maybe the pixels are sound and something else is damaged.
        data = path.read_bytes()
        for without in (strip_metadata(data, keep_exif=True), strip_metadata(data, keep_exif=False)):
            if without != data:
                with contextlib.suppress(Exception), Image.open(io.BytesIO(without)) as image:
                    return _loaded(image)
        raise


def _loaded(image: Image.Image) -> LoadedImage:
    of_tiff = read_orientation(image) if image.format == 'TIFF' else None
    noise = None if _is_lossless_webp(image) else _NOISE.get(image.format or '')
    if image.format == 'TIFF':  # Pillow turns it, and forgets how
        with _unmapped(image):
            image.load()
        return LoadedImage(image, of_tiff, noise)
    image.load()
    orientation = read_orientation(image)  # now: in a PNG it may follow the pixels
    return LoadedImage(turn(image, orientation), orientation, noise)


@contextlib.contextmanager
def _unmapped(image: Image.Image) -> Iterator[None]:
    """Have Pillow read a file and not map it: where EXIF swaps the sides, it maps rows of a wrong length."""
    name = getattr(image, 'filename', '')
    setattr(image, 'filename', '')  # noqa: B010 (not every image has one)
    try:
        yield
    finally:
        setattr(image, 'filename', name)  # noqa: B010


def _is_lossless_webp(image: Image.Image) -> bool:
    name = getattr(image, 'filename', '')
    if image.format != 'WEBP' or not name:
        return False
    with open(name, 'rb') as file:
        return b'VP8L' in file.read(64)


def _size(path: Path) -> int:
    """Bytes of a file."""
    try:
        status = os.stat(path)
    except FileNotFoundError as error:
        raise UserError(f'{path}: no such file; give it or remove the link to it') from error
    except OSError as error:  # too long a name, or a folder that may not be entered
        raise UserError(f'{path}: {error.strerror}; give a file that can be read') from error
    except ValueError as error:  # a name with a null character
        raise UserError(f'{path!r}: {error}; give a file that can be read') from error
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):  # opening it might wait for ever
        raise UserError(f'{path}: a pipe, a socket or a device and no file; remove it')
    return status.st_size


def _is_heic(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open('rb') as file:
        head = file.read(32)
        return head[4:8] == b'ftyp' and any(kind in head[8:] for kind in (b'heic', b'heix', b'mif1', b'hevc'))
    return False


def _reads_heic() -> bool:
    """Whether Pillow reads HEIC, once pillow-heif is told to teach it where it is installed."""
    try:
        importlib.import_module('pillow_heif').register_heif_opener()
    except ImportError:
        return False
    return True


class _Quiet:
    """Silences Pillow's warnings of metadata, which name no file, while any thread is inside.

    `warnings.catch_warnings` alone puts back what another thread has changed.
    """

    def __init__(self):
        self._lock, self._inside, self._filters = threading.Lock(), 0, contextlib.ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.simplefilter('ignore')
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._filters.close()


quiet = _Quiet()
