"""What is around the figures: a second ground, clutter, shadows and rims."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cosegnet_jax.data.shapes.outlines import Contour, flat, polar, rotation, silhouette_of
from cosegnet_jax.data.shapes.textures import draw_palette, rgb, turned_axes


def beyond_a_wavy_line(side: int, rng: np.random.Generator) -> Image.Image:
    """Make the mask of a second ground: one side of a wavy line across the image."""
    u, v = turned_axes(side, rng)
    height = u + np.float32(rng.uniform(0.02, 0.06)) * np.sin(np.float32(rng.uniform(6, 14)) * v)
    beyond = height > np.quantile(height, rng.uniform(0.3, 0.7))
    return Image.fromarray(np.where(beyond, 255, 0).astype(np.uint8))


def scatter_clutter(canvas: Image.Image, rng: np.random.Generator) -> None:
    """Draw bits, blobs, line fragments and thin curves; none has the outline of a class or its size."""
    draw, side = ImageDraw.Draw(canvas), canvas.width
    for _ in range(rng.integers(6, 16)):
        color = tuple(rgb(draw_palette(rng).mean).tolist())
        center, turn = rng.uniform(0, 1, 2), rotation(rng.uniform(0, 2 * math.pi))
        match rng.integers(4):
            case 0:  # a bit: a crooked sliver
                corners = center + polar(rng.uniform(0.006, 0.03, 4)) @ turn.T
                draw.polygon(flat(corners, side), fill=color)
            case 1:  # a blob with a lumpy outline
                lumps = 1 + 0.35 * rng.uniform(0.5, 1, 16) * np.sin(np.arange(16) * (math.pi / 4))
                outline = center + rng.uniform(0.015, 0.04) * polar(lumps) @ turn.T
                draw.polygon(flat(outline, side), fill=color)
            case 2:  # a line fragment
                ends = center + np.array([[-1.0, 0.0], [1.0, 0.0]]) * rng.uniform(0.04, 0.16) @ turn.T
                draw.line(flat(ends, side), fill=color, width=_stroke(rng.uniform(0.008, 0.02), side))
            case 3:  # a thin curve
                t = np.linspace(-1, 1, 16)
                wave = rng.uniform(0.02, 0.06) * np.sin(rng.uniform(2, 5) * t)
                curve = center + np.stack([rng.uniform(0.1, 0.25) * t, wave], -1) @ turn.T
                draw.line(flat(curve, side), fill=color, width=_stroke(0.012, side))


def _stroke(width: float, side: int) -> int:
    return max(1, round(width * side))


def cast_shadow(canvas: Image.Image, contours: list[Contour], rng: np.random.Generator) -> None:
    """Darken the ground a little beside a figure."""
    offset = rotation(rng.uniform(0, 2 * math.pi)) @ np.array([rng.uniform(0.01, 0.035), 0])
    shadow = silhouette_of([points + offset for points in contours], canvas.width)
    shadow = shadow.filter(ImageFilter.BoxBlur(0.02 * canvas.width))
    canvas.paste((16, 16, 24), mask=shadow.point([round(0.55 * value) for value in range(256)]))


def draw_rim(
    canvas: Image.Image, contours: list[Contour], silhouette: Image.Image, rng: np.random.Generator
) -> None:
    """Darken or lighten the inner edge of a figure."""
    side = canvas.width
    line = Image.new('L', (side, side))
    draw = ImageDraw.Draw(line)
    for points in contours:
        closed = np.concatenate([points, points[:2]])
        draw.line(flat(closed, side), fill=150, width=_stroke(0.045, side), joint='curve')
    tone = (20, 20, 28) if rng.random() < 0.5 else (250, 248, 240)
    inner = Image.new('L', (side, side))
    inner.paste(line, mask=silhouette)
    canvas.paste(tone, mask=inner)
