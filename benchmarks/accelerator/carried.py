"""What pack.py writes and the parts read: photos as JPEG, masks as PNG, and configs by name."""

from __future__ import annotations

import io
import runpy
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cosegnet_jax import config as configs
from cosegnet_jax.data.examples import Examples

ROOT = Path(__file__).parents[2]
PARTS = ('train', 'validation', 'test')


def config(name: str, **changes: Any) -> configs.Config:
    """The experiment of a file in configs/, with some keys changed, such as `model__dtype='bfloat16'`."""
    raw = runpy.run_path(str(ROOT / 'configs' / f'{name}.py'))['get_config']()
    raw.update_from_flattened_dict({key.replace('__', '.'): value for key, value in changes.items()})
    return configs.resolve(raw)


def encode(images: np.ndarray, kind: str) -> dict[str, np.ndarray]:
    """Images as the bytes of files, one after another, and where each ends."""
    files = []
    for pixels in images:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, kind, **({'quality': 90} if kind == 'JPEG' else {}))
        files.append(file.getvalue())
    ends = np.cumsum([len(one) for one in files])
    return {kind: np.frombuffer(b''.join(files), np.uint8), f'{kind}_ends': ends}


def decode(arrays: Any, kind: str) -> np.ndarray:
    """The images of `encode`."""
    pieces = np.split(arrays[kind], arrays[f'{kind}_ends'][:-1])
    return np.stack([np.asarray(Image.open(io.BytesIO(piece.tobytes()))) for piece in pieces])


def examples(folder: Path, part: str) -> Examples:
    """One part of the packed set."""
    with np.load(folder / 'photos.npz') as arrays:
        rows = np.flatnonzero(arrays['part'] == PARTS.index(part))
        whole = Examples.in_memory(
            name=str(arrays['name']),
            classes=tuple(arrays['classes'].tolist()),
            filenames=tuple(arrays['filenames'].tolist()),
            labels=arrays['labels'],
            images=decode(arrays, 'JPEG'),
            masks=decode(arrays, 'PNG'),
        )
    return whole.subset(rows)
