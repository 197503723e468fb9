"""Outlines of the six classes, and figures posed inside the image."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw

AREA = (0.12, 0.38)  # of one figure that is alone, in parts of the image
PAIRED_AREA = (0.08, 0.16)  # of each of two figures
PAIRED_SHARE = 0.15  # of the images show two figures of their class
TILT = math.radians(15)  # greatest turn of a figure to either side: like most things it has an upright
MARGIN = 0.03  # of the side, kept free around every figure's box

Contour = Float[np.ndarray, 'points 2']  # x, y of a closed polygon


def figures_of(kind: str, rng: np.random.Generator) -> list[list[Contour]]:
    """One or two posed figures of a class; two have a half of the image each, so they never touch."""
    if rng.random() >= PAIRED_SHARE:
        return [_posed(_outline(kind), AREA, np.array([[0.0, 0.0], [1.0, 1.0]]), rng)]
    cut = rng.uniform(0.42, 0.58)
    boxes = np.array([[[0, 0], [cut, 1]], [[cut, 0], [1, 1]]])
    if rng.random() < 0.5:
        boxes = boxes[..., ::-1]
    return [_posed(_outline(kind), PAIRED_AREA, box, rng) for box in boxes]


def _outline(kind: str) -> list[Contour]:
    """Give the contours of a class about the origin: the outer one, then that of its hole."""
    match kind:
        case 'disc':
            return [polar(np.ones(48))]
        case 'bar':
            return [np.array([[-2.5, -1.0], [2.5, -1.0], [2.5, 1.0], [-2.5, 1.0]])]
        case 'triangle':
            return [polar(np.ones(3))]
        case 'star':
            return [polar(np.tile((1, 0.52), 5))]
        case 'cross':
            arm = np.array([[1, 0.33], [0.33, 0.33], [0.33, 1]])
            quarters = [rotation(quarter * math.pi / 2) for quarter in range(4)]
            return [np.concatenate([arm @ quarter.T for quarter in quarters])]
        case 'ring':
            return [polar(np.ones(48)), polar(np.full(48, 0.42))]
    raise ValueError(kind)


def polar(radii: np.ndarray) -> Contour:
    """Close a polygon of the given radii about the origin; the first corner is on top."""
    angles = np.arange(len(radii)) * (2 * math.pi / len(radii))
    return radii[:, None] * np.stack([np.sin(angles), -np.cos(angles)], -1)


def _posed(
    contours: list[Contour],
    area: tuple[float, float],
    box: Float[np.ndarray, '2 2'],
    rng: np.random.Generator,
) -> list[Contour]:
    """Tilt, stretch, turn, scale and move a figure to a random place inside `box`."""
    vanishing = rng.uniform(-0.12, 0.12, 2)
    axis = rotation(rng.uniform(0, math.pi))
    stretch = axis @ np.diag(np.exp(np.array([1, -1]) * rng.uniform(-0.1, 0.1))) @ axis.T
    pose = stretch @ rotation(rng.uniform(-TILT, TILT))
    contours = [points / (1 + points @ vanishing)[:, None] @ pose.T for points in contours]

    low, high = contours[0].min(0), contours[0].max(0)
    room = box[1] - box[0] - 2 * MARGIN
    solid = _area(contours[0]) - sum(map(_area, contours[1:]))
    wanted = math.sqrt(rng.uniform(*area) / solid)
    scale = min(wanted, *(room / (high - low)))
    # Off the middle more often than uniformly, since a large figure covers the middle wherever it is.
    place = np.sin(rng.uniform(0, math.pi / 2, 2)) ** 2
    corner = box[0] + MARGIN + place * (room - scale * (high - low))
    return [corner + scale * (points - low) for points in contours]


def rotation(angle: float) -> Float[np.ndarray, '2 2']:
    """The matrix that turns points by an angle in radians."""
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _area(points: Contour) -> float:
    x, y = points.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def silhouette_of(contours: list[Contour], side: int) -> Image.Image:
    """Draw the inside of a figure in white, without its hole."""
    image = Image.new('L', (side, side))
    draw = ImageDraw.Draw(image)
    for points, value in zip(contours, (255, 0), strict=False):
        draw.polygon(flat(points, side), fill=value)
    return image


def flat(points: Contour, side: int) -> list[float]:
    """Points in drawn pixels, as Pillow likes them: x, y, x, y …"""
    return (points * side).ravel().tolist()
