"""What the campaign begins with: small photos of many kinds, an untrained run, its model file; and damage."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image


def scene(seed: int, size: tuple[int, int] = (40, 28)) -> Image.Image:
    """A photo with a bright disc."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    inside = (x - size[0] * rng.uniform(0.3, 0.7)) ** 2 + (y - size[1] * 0.5) ** 2 < (min(size) / 4) ** 2
    pixels = rng.integers(0, 90, (size[1], size[0], 3), np.uint8)
    pixels[inside] = rng.integers(150, 250, 3)
    return Image.fromarray(pixels)


def encoded(seed: int) -> tuple[str, bytes]:
    """A sound photo of one of many kinds: the ending of its name, and its bytes."""
    photo, exif = scene(seed), Image.Exif()
    exif[0x0112] = 1 + seed % 8
    exif[0x010E] = 'a description'
    alpha = photo.copy()
    alpha.putalpha(128)
    kinds = [
        ('.png', photo, {}),
        ('.jpg', photo, {'exif': exif, 'quality': 90}),
        ('.webp', photo, {'exif': exif, 'lossless': True}),
        ('.tif', photo, {}),
        ('.png', photo.convert('L'), {'exif': exif}),
        ('.gif', photo.quantize(32), {}),
        ('.png', alpha, {}),
        ('.jpg', photo.convert('CMYK'), {}),
        ('.bmp', photo, {}),
        ('.png', Image.fromarray(np.asarray(photo.convert('L')).astype(np.uint16) * 257), {}),
        ('.tif', photo, {'compression': 'tiff_deflate'}),
        ('.jpg', photo.convert('L'), {'progressive': True}),
    ]
    suffix, image, options = kinds[seed % len(kinds)]
    file = io.BytesIO()
    formats = {'.jpg': 'JPEG', '.tif': 'TIFF'}
    image.save(file, formats.get(suffix, suffix[1:].upper()), **options)
    return suffix, file.getvalue()


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """The same bytes with one kind of damage."""
    content = bytearray(data)
    kind, at = rng.integers(7), int(rng.integers(len(content)))
    if kind == 0:  # a bit
        content[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:  # some bytes
        content[at : at + 8] = rng.bytes(min(8, len(content) - at))
    elif kind == 2:  # broken off
        del content[at:]
    elif kind == 3:  # a hole
        del content[at : at + int(rng.integers(1, 64))]
    elif kind == 4:  # more
        content[at:at] = rng.bytes(int(rng.integers(1, 64)))
    elif kind == 5:  # the beginning, where formats say what they are
        at = int(rng.integers(min(256, len(content))))
        content[at] = int(rng.integers(256))
    else:  # zeros, as after a crash of a file system
        content[at:] = bytes(len(content) - at)
    return bytes(content)


def run_folder(folder: Path) -> Path:
    """A run of no steps of a tiny network."""
    from untrained_runs import SMALL, random_params, save_run

    return save_run(folder, SMALL, random_params(SMALL))


def model_file(run: Path, folder: Path) -> Path:
    """The run, exported."""
    from cosegnet_jax.export.model_folder import export

    folder.mkdir(parents=True)
    export(str(run), folder, None, 'float32', [])
    return folder / 'model.safetensors'


def is_one_line(stderr: str) -> bool:
    """Whether a program ended with one line of error and no traceback."""
    errors = [line for line in stderr.splitlines() if line.startswith('error: ')]
    return len(errors) == 1 and 'Traceback' not in stderr and 'Exception ignored' not in stderr
