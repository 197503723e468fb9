"""A boat, a car and a plane in polygons, on a transparent square of 960 pixels."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32
from PIL import Image, ImageDraw, ImageFilter

SIDE = 960
Color = tuple[int, int, int]

_BOATS: list[Color] = [(150, 30, 35), (30, 50, 110), (240, 240, 240), (60, 60, 60)]
_CARS: list[Color] = [(180, 25, 30), (30, 70, 160), (210, 170, 30), (225, 225, 228), (30, 110, 60)]
_PLANES: list[Color] = [(190, 30, 40), (30, 60, 150), (20, 110, 80), (220, 120, 20)]


def boat(rng: np.random.Generator) -> Image.Image:
    """A sailing boat."""
    layer, pen = _transparent()
    hull = _BOATS[rng.integers(len(_BOATS))]
    pen.polygon([(470, 80), (482, 80), (482, 640), (470, 640)], fill=(120, 90, 60))
    pen.polygon([(490, 95), (490, 620), (800, 620)], fill=(240, 238, 230))
    pen.polygon([(460, 130), (460, 620), (250, 620)], fill=(232, 230, 222))
    pen.polygon([(150, 640), (840, 640), (760, 770), (240, 770)], fill=hull)
    pen.rectangle([160, 640, 832, 662], fill=(235, 225, 200))
    return _lit(layer, rng)


def car(rng: np.random.Generator) -> Image.Image:
    """A car from its side."""
    layer, pen = _transparent()
    paint, glass = _CARS[rng.integers(len(_CARS))], (60, 75, 90)
    pen.polygon([(250, 470), (370, 340), (640, 335), (770, 470)], fill=paint)
    pen.polygon([(300, 465), (385, 360), (500, 357), (500, 465)], fill=glass)
    pen.polygon([(520, 465), (520, 357), (628, 355), (715, 465)], fill=glass)
    pen.rounded_rectangle([90, 455, 880, 610], 50, fill=paint)
    pen.rectangle([110, 560, 865, 600], fill=_darker(paint, 0.6))
    pen.line([(510, 470), (510, 590)], fill=_darker(paint, 0.5), width=4)
    pen.rounded_rectangle([540, 490, 590, 502], 5, fill=(30, 30, 30))
    pen.ellipse([95, 480, 150, 530], fill=(250, 245, 210))
    pen.rounded_rectangle([845, 480, 878, 530], 8, fill=(150, 15, 20))
    layer = _lit(layer, rng)
    pen = ImageDraw.Draw(layer)
    for x in (265, 705):
        _wheel(pen, x, 618)
    return layer


def plane(rng: np.random.Generator) -> Image.Image:
    """An airliner, seen from below."""
    layer, pen = _transparent()
    stripe, body = _PLANES[rng.integers(len(_PLANES))], (232, 234, 238)
    pen.polygon([(430, 455), (560, 455), (700, 250), (640, 240)], fill=(190, 195, 203))  # the far wing
    pen.polygon([(770, 440), (850, 430), (905, 290), (850, 285)], fill=stripe)
    pen.ellipse([90, 410, 330, 535], fill=body)
    pen.polygon([(200, 412), (700, 420), (905, 440), (905, 460), (700, 535), (210, 535)], fill=body)
    pen.polygon([(140, 480), (900, 450), (900, 462), (160, 500)], fill=stripe)
    pen.polygon([(790, 450), (880, 448), (930, 500), (880, 500)], fill=(200, 204, 210))
    for x in range(250, 720, 32):
        pen.rounded_rectangle([x, 440, x + 14, 458], 5, fill=(50, 60, 80))
    pen.polygon([(118, 440), (165, 424), (180, 446), (120, 452)], fill=(40, 50, 70))
    pen.polygon([(390, 500), (560, 500), (620, 700), (560, 712)], fill=(205, 209, 216))  # the near wing
    pen.rounded_rectangle([420, 560, 520, 610], 22, fill=(160, 165, 175))
    pen.ellipse([410, 560, 440, 610], fill=(40, 40, 45))
    return _lit(layer, rng)


def _transparent() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    layer = Image.new('RGBA', (SIDE, SIDE), (0, 0, 0, 0))
    return layer, ImageDraw.Draw(layer)


def _darker(color: Color, share: float) -> Color:
    red, green, blue = (int(share * value) for value in color)
    return red, green, blue


def _wheel(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    for radius, gray in ((88, 25), (50, 172), (15, 80)):
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=(gray, gray, gray + 3))
    for spoke in range(5):
        angle = spoke * 2 * math.pi / 5
        end = (x + 48 * math.cos(angle), y + 48 * math.sin(angle))
        pen.line([(x, y), end], fill=(90, 92, 98), width=9)


def _lit(layer: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Rounds the object: brighter where its rim faces the sun, darker where it faces away."""
    alpha = layer.getchannel('A')
    rows, columns = np.gradient(_array(alpha.filter(ImageFilter.GaussianBlur(28))) / 255)
    light = np.clip(1 + 22 * (0.8 * rows + 0.4 * columns), 0.45, 1.35)[..., None]
    colors = _array(layer)[..., :3] * light + rng.normal(0, 4, (SIDE, SIDE, 1))
    lit = Image.fromarray(np.clip(colors, 0, 255).astype(np.uint8))
    lit.putalpha(alpha)
    return lit


def _array(image: Image.Image) -> Float32[np.ndarray, 'side side *channels']:
    return np.asarray(image, np.float32)
