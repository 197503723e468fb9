"""Pictures that a visitor without photos can try the page on."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from PIL import Image

from cosegnet_jax.data import scenes

_drawn = functools.cache(scenes.draw)  # a second for all of them


def write(folder: Path) -> list[str]:
    """Writes the pictures of `data.scenes` to a folder, which is made, and gives their paths.

    Gradio names the folder of a file by its content, and two visitors would share one (`uploads`). So each
    file has a random comment.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in scenes.NAMES]
    for path in paths:
        picture: Image.Image = _drawn(path.name)
        picture.save(path, 'JPEG', quality=scenes.QUALITY, comment=os.urandom(16).hex())
    return [str(path) for path in paths]
