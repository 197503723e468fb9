"""An object in its surroundings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cosegnet_jax.data.scenes import grounds, objects

EACH = 3  # pictures of each object
SIDE = 480  # pixels
QUALITY = 90  # of the JPEG


class _Scene(NamedTuple):
    """How one kind of picture is made."""

    object: Callable[[np.random.Generator], Image.Image]
    horizon: tuple[float, float]  # where the ground begins, from the top; 1 is all sky
    grounds: tuple[Callable[..., grounds.Ground], ...]  # below it, each nearer to the viewer
    tilt: float  # degrees, greatest turn of the object to either side
    down: tuple[float, float]  # from the middle
    stands: bool = False  # on a shadow


_SCENES = {
    'boat': _Scene(objects.boat, (0.5, 0.62), (grounds.water,), 4, (-0.02, 0.04)),
    'car': _Scene(objects.car, (0.42, 0.55), (grounds.grass, grounds.road), 0, (0.06, 0.12), stands=True),
    'plane': _Scene(objects.plane, (1, 1), (), 14, (-0.08, 0.08)),
}
_ROAD_AFTER = 0.12  # of the side, below the horizon
NAMES = tuple(f'{kind} {number}.jpg' for kind in _SCENES for number in range(1, EACH + 1))


def write(folder: Path) -> list[Path]:
    """Draws the pictures of `NAMES` into a folder that exists, as JPEG."""
    files = [folder / name for name in NAMES]
    for file in files:
        draw(file.name).save(file, 'JPEG', quality=QUALITY)
    return files


def draw(name: str) -> Image.Image:
    """The picture of a name in `NAMES`; the same at every call."""
    rng = np.random.default_rng(NAMES.index(name))
    scene = _SCENES[name.split()[0]]
    picture = Image.fromarray(np.clip(_surroundings(scene, rng), 0, 255).astype(np.uint8)).convert('RGBA')
    _place(scene.object(rng), picture, scene, rng)
    soft = picture.convert('RGB').filter(ImageFilter.GaussianBlur(0.6))
    grain = rng.normal(0, 2.5, (SIDE, SIDE, 3))
    return Image.fromarray(np.clip(np.asarray(soft) + grain, 0, 255).astype(np.uint8))


def _surroundings(scene: _Scene, rng: np.random.Generator) -> grounds.Ground:
    whole = grounds.sky(SIDE, SIDE, rng)
    top = int(SIDE * rng.uniform(*scene.horizon))
    for ground in scene.grounds:
        whole[top:] = ground(SIDE - top, SIDE, rng)
        top += int(_ROAD_AFTER * SIDE)
    return whole


def _place(thing: Image.Image, picture: Image.Image, scene: _Scene, rng: np.random.Generator) -> None:
    """Turns, scales and moves the object, and puts it on its shadow."""
    if rng.random() < 0.5:
        thing = thing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    thing = thing.rotate(rng.uniform(-scene.tilt, scene.tilt), Image.Resampling.BICUBIC)
    side = int(SIDE * rng.uniform(0.75, 0.95))
    thing = thing.resize((side, side), Image.Resampling.LANCZOS)
    left = int((SIDE - side) / 2 + SIDE * rng.uniform(-0.04, 0.04))
    top = int((SIDE - side) / 2 + SIDE * rng.uniform(*scene.down))
    box = thing.getchannel('A').getbbox()
    if scene.stands and box:
        shadow = Image.new('RGBA', picture.size, (0, 0, 0, 0))
        around = [left + box[0] - 5, top + box[3] - 11, left + box[2] + 5, top + box[3] + 11]
        ImageDraw.Draw(shadow).ellipse(around, fill=(0, 0, 0, 150))
        picture.alpha_composite(shadow.filter(ImageFilter.GaussianBlur(5)))
    layer = Image.new('RGBA', picture.size, (0, 0, 0, 0))
    layer.paste(thing, (left, top))
    picture.alpha_composite(layer)
