"""The embedded data set: textured figures on cluttered, textured grounds, drawn from a seed alone.

Six classes that differ by outline only. Figure and ground get their textures and colors from one
distribution, so neither a color nor a place says what is object; the only rule is that a figure stands
out from the ground behind it. Everything is laid out in units of the image's side and drawn
`SUPERSAMPLING` times too large, so that one seed shows the same scenes at every image size.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from jaxtyping import Float, Float32, UInt8
from PIL import Image, ImageDraw, ImageFilter

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.runtime.errors import UserError

CLASSES = ('disc', 'bar', 'triangle', 'star', 'cross', 'ring')

MIN_IMAGE_SIZE = 32  # pixels; below it the six outlines are no longer told apart
SUPERSAMPLING = 3  # drawn pixels per side of one image pixel
AREA = (0.12, 0.38)  # of one figure that is alone, in parts of the image
PAIRED_AREA = (0.08, 0.16)  # of each of two figures
PAIRED_SHARE = 0.15  # of the images show two figures of their class
TILT = math.radians(15)  # greatest turn of a figure to either side: like most things it has an upright
MARGIN = 0.03  # of the side, kept free around every figure's box
CONTRAST = 0.25  # least Oklab distance of a figure's mean color from that of any ground

Contour = Float[np.ndarray, 'points 2']  # x, y of a closed polygon
Field = Float32[np.ndarray, 'side side']


def make(image_size: int, images_per_class: int, seed: int) -> Examples:
    """Draw the set: image `i` of a class depends on the seed, the class, `i` and the size only.

    Args:
        image_size: side of the square images in pixels, at least 32.
        images_per_class: images of each of the six classes, at least 1.
        seed: any integer from 0 up.

    Returns:
        6 · images_per_class examples, class after class. A larger set begins, in each class, with the
        images of a smaller one.

    Raises:
        UserError: an argument is out of range.
    """
    if image_size < MIN_IMAGE_SIZE:
        raise UserError(f'shapes: image_size is {image_size}; use at least {MIN_IMAGE_SIZE} pixels')
    if images_per_class < 1:
        raise UserError(f'shapes: images_per_class is {images_per_class}; use at least 1')
    if seed < 0:
        raise UserError(f'shapes: seed is {seed}; use 0 or a positive integer')

    labels = np.repeat(np.arange(len(CLASSES)), images_per_class)
    images = np.empty((len(labels), image_size, image_size, 3), np.uint8)
    masks = np.empty((len(labels), image_size, image_size), np.uint8)
    for row, label in enumerate(labels):
        rng = np.random.default_rng(np.random.SeedSequence((seed, int(label), row % images_per_class)))
        images[row], masks[row] = _draw(CLASSES[label], image_size, rng)
    return Examples.in_memory(
        name='shapes',
        classes=CLASSES,
        filenames=tuple(f'{CLASSES[c]}/{row % images_per_class:04d}' for row, c in enumerate(labels)),
        labels=labels,
        images=images,
        masks=masks,
    )


# ---------------------------------------------------------------------------------------------- the scene


def _draw(
    kind: str, image_size: int, rng: np.random.Generator
) -> tuple[UInt8[np.ndarray, 'size size 3'], UInt8[np.ndarray, 'size size']]:
    """One image and its mask."""
    side = image_size * SUPERSAMPLING
    figures = _figures(kind, rng)
    grounds, paints = _palettes(1 if rng.random() < 0.75 else 2, len(figures), rng)

    canvas = _textured(grounds[0], side, rng)
    for ground in grounds[1:]:
        canvas.paste(_textured(ground, side, rng), mask=_beyond_a_wavy_line(side, rng))
    _scatter_clutter(canvas, rng)

    union = Image.new('L', (side, side))
    for contours, paint in zip(figures, paints, strict=True):
        silhouette = _silhouette(contours, side)
        if rng.random() < 0.6:
            _cast_shadow(canvas, contours, rng)
        canvas.paste(_textured(paint, side, rng), mask=silhouette)
        if rng.random() < 0.6:
            _draw_rim(canvas, contours, silhouette, rng)
        union.paste(255, mask=silhouette)

    image = np.asarray(canvas.reduce(SUPERSAMPLING), np.float32)
    grain = rng.normal(0, 3, image.shape)
    mask = np.asarray(union.reduce(SUPERSAMPLING)) >= 128
    return np.clip(np.rint(image + grain), 0, 255).astype(np.uint8), mask.astype(np.uint8)


def _figures(kind: str, rng: np.random.Generator) -> list[list[Contour]]:
    """One or two posed figures of a class; two have a half of the image each, so they never touch."""
    if rng.random() >= PAIRED_SHARE:
        return [_posed(_outline(kind), AREA, np.array([[0.0, 0.0], [1.0, 1.0]]), rng)]
    cut = rng.uniform(0.42, 0.58)
    boxes = np.array([[[0, 0], [cut, 1]], [[cut, 0], [1, 1]]])
    if rng.random() < 0.5:
        boxes = boxes[..., ::-1]
    return [_posed(_outline(kind), PAIRED_AREA, box, rng) for box in boxes]


# --------------------------------------------------------------------------------------------- the outlines


def _outline(kind: str) -> list[Contour]:
    """Give the contours of a class about the origin: the outer one, then that of its hole."""
    match kind:
        case 'disc':
            return [_polar(np.ones(48))]
        case 'bar':
            return [np.array([[-2.5, -1.0], [2.5, -1.0], [2.5, 1.0], [-2.5, 1.0]])]
        case 'triangle':
            return [_polar(np.ones(3))]
        case 'star':
            return [_polar(np.tile((1, 0.52), 5))]
        case 'cross':
            arm = np.array([[1, 0.33], [0.33, 0.33], [0.33, 1]])
            quarters = [_rotation(quarter * math.pi / 2) for quarter in range(4)]
            return [np.concatenate([arm @ quarter.T for quarter in quarters])]
        case 'ring':
            return [_polar(np.ones(48)), _polar(np.full(48, 0.42))]
    raise ValueError(kind)


def _polar(radii: np.ndarray) -> Contour:
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
    axis = _rotation(rng.uniform(0, math.pi))
    stretch = axis @ np.diag(np.exp(np.array([1, -1]) * rng.uniform(-0.1, 0.1))) @ axis.T
    pose = stretch @ _rotation(rng.uniform(-TILT, TILT))
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


def _rotation(angle: float) -> Float[np.ndarray, '2 2']:
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _area(points: Contour) -> float:
    x, y = points.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _silhouette(contours: list[Contour], side: int) -> Image.Image:
    image = Image.new('L', (side, side))
    draw = ImageDraw.Draw(image)
    for points, value in zip(contours, (255, 0), strict=False):
        draw.polygon(_flat(points, side), fill=value)
    return image


# ------------------------------------------------------------------------------------ colors and textures


# From Oklab to the roots of cone responses, and from cone responses to linear sRGB (B. Ottosson, "A
# perceptual color space for image processing", 2020). Equal distances in Oklab look about equally large.
_OKLAB_TO_LMS = np.array(
    [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


@dataclasses.dataclass(frozen=True)
class _Palette:
    """The two colors of a texture, in Oklab (lightness 0-1, a, b)."""

    dark: Float[np.ndarray, ' 3']
    light: Float[np.ndarray, ' 3']

    @property
    def mean(self) -> Float[np.ndarray, ' 3']:
        return (self.dark + self.light) / 2


def _palettes(grounds: int, figures: int, rng: np.random.Generator) -> tuple[list[_Palette], list[_Palette]]:
    """Palettes for grounds and figures, from one distribution and drawn anew until they contrast."""
    while True:
        palettes = [_palette(rng) for _ in range(grounds + figures)]
        behind, before = palettes[:grounds], palettes[grounds:]
        if all(np.linalg.norm(f.mean - g.mean) >= CONTRAST for f in before for g in behind):
            return behind, before


def _palette(rng: np.random.Generator) -> _Palette:
    lightness, chroma, hue = rng.uniform(0.36, 0.88), rng.uniform(0.03, 0.16), rng.uniform(0, 2 * math.pi)
    step, turn = rng.uniform(0.04, 0.1), rng.uniform(-0.5, 0.5)
    return _Palette(
        np.array([lightness - step, chroma * math.cos(hue - turn), chroma * math.sin(hue - turn)]),
        np.array([lightness + step, chroma * math.cos(hue + turn), chroma * math.sin(hue + turn)]),
    )


def _rgb(oklab: Float[np.ndarray, '*n 3']) -> UInt8[np.ndarray, '*n 3']:
    """Oklab to 8-bit sRGB, clipped to its gamut."""
    linear = np.clip((oklab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_LINEAR.T, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * encoded).astype(np.uint8)


def _textured(palette: _Palette, side: int, rng: np.random.Generator) -> Image.Image:
    """Fill a square with one of the five textures."""
    weights = _TEXTURES[rng.integers(len(_TEXTURES))](side, rng)
    ramp = palette.dark + np.linspace(0, 1, 256)[:, None] * (palette.light - palette.dark)
    image = Image.fromarray((255 * np.clip(weights, 0, 1)).astype(np.uint8))
    image.putpalette(_rgb(ramp).tobytes())
    return image.convert('RGB')


def _turned_axes(side: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Coordinates of every pixel along two perpendicular axes in a random direction."""
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side
    angle = rng.uniform(0, 2 * math.pi)
    c, s = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    return c * axis + s * axis[:, None], c * axis[:, None] - s * axis


def _phases(side: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Give the turned axes in radians of a random wavelength (0.08 to 0.22 of the side) and start."""
    u, v = _turned_axes(side, rng)
    frequency = np.float32(2 * math.pi / rng.uniform(0.08, 0.22))
    return frequency * u + np.float32(rng.uniform(0, 7)), frequency * v + np.float32(rng.uniform(0, 7))


def _stripes(side: int, rng: np.random.Generator) -> Field:
    u, _ = _phases(side, rng)
    return 0.5 + np.float32(rng.uniform(0.6, 3)) * np.sin(u)


def _checks(side: int, rng: np.random.Generator) -> Field:
    u, v = _phases(side, rng)
    return 0.5 + np.float32(rng.uniform(1, 4)) * np.sin(u / 2) * np.sin(v / 2)


def _spots(side: int, rng: np.random.Generator) -> Field:
    u, v = _phases(side, rng)
    return 0.5 + np.float32(rng.uniform(1, 3)) * (np.sin(u) + np.sin(v) - np.float32(rng.uniform(0.2, 0.8)))


def _smooth_noise(side: int, rng: np.random.Generator) -> Field:
    knots = Image.fromarray(rng.normal(0.5, 0.45, (rng.integers(5, 15),) * 2).astype(np.float32))
    return np.asarray(knots.resize((side, side), Image.Resampling.BICUBIC))


def _gradient(side: int, rng: np.random.Generator) -> Field:
    u, _ = _turned_axes(side, rng)
    return (u - u.min()) / (u.max() - u.min())


_TEXTURES = (_stripes, _checks, _spots, _smooth_noise, _gradient)


# -------------------------------------------------------------------------- around the figures


def _beyond_a_wavy_line(side: int, rng: np.random.Generator) -> Image.Image:
    """Make the mask of a second ground: one side of a wavy line across the image."""
    u, v = _turned_axes(side, rng)
    height = u + np.float32(rng.uniform(0.02, 0.06)) * np.sin(np.float32(rng.uniform(6, 14)) * v)
    beyond = height > np.quantile(height, rng.uniform(0.3, 0.7))
    return Image.fromarray(np.where(beyond, 255, 0).astype(np.uint8))


def _scatter_clutter(canvas: Image.Image, rng: np.random.Generator) -> None:
    """Draw bits, blobs, line fragments and thin curves; none has the outline of a class or its size."""
    draw, side = ImageDraw.Draw(canvas), canvas.width
    for _ in range(rng.integers(6, 16)):
        color = tuple(_rgb(_palette(rng).mean).tolist())
        center, turn = rng.uniform(0, 1, 2), _rotation(rng.uniform(0, 2 * math.pi))
        match rng.integers(4):
            case 0:  # a bit: a crooked sliver
                corners = center + _polar(rng.uniform(0.006, 0.03, 4)) @ turn.T
                draw.polygon(_flat(corners, side), fill=color)
            case 1:  # a blob with a lumpy outline
                lumps = 1 + 0.35 * rng.uniform(0.5, 1, 16) * np.sin(np.arange(16) * (math.pi / 4))
                outline = center + rng.uniform(0.015, 0.04) * _polar(lumps) @ turn.T
                draw.polygon(_flat(outline, side), fill=color)
            case 2:  # a line fragment
                ends = center + np.array([[-1.0, 0.0], [1.0, 0.0]]) * rng.uniform(0.04, 0.16) @ turn.T
                draw.line(_flat(ends, side), fill=color, width=_stroke(rng.uniform(0.008, 0.02), side))
            case 3:  # a thin curve
                t = np.linspace(-1, 1, 16)
                wave = rng.uniform(0.02, 0.06) * np.sin(rng.uniform(2, 5) * t)
                curve = center + np.stack([rng.uniform(0.1, 0.25) * t, wave], -1) @ turn.T
                draw.line(_flat(curve, side), fill=color, width=_stroke(0.012, side))


def _flat(points: Contour, side: int) -> list[float]:
    """Points in drawn pixels, as Pillow likes them: x, y, x, y …"""
    return (points * side).ravel().tolist()


def _stroke(width: float, side: int) -> int:
    return max(1, round(width * side))


def _cast_shadow(canvas: Image.Image, contours: list[Contour], rng: np.random.Generator) -> None:
    offset = _rotation(rng.uniform(0, 2 * math.pi)) @ np.array([rng.uniform(0.01, 0.035), 0])
    shadow = _silhouette([points + offset for points in contours], canvas.width)
    shadow = shadow.filter(ImageFilter.BoxBlur(0.02 * canvas.width))
    canvas.paste((16, 16, 24), mask=shadow.point([round(0.55 * value) for value in range(256)]))


def _draw_rim(
    canvas: Image.Image, contours: list[Contour], silhouette: Image.Image, rng: np.random.Generator
) -> None:
    """Darken or lighten the inner edge of a figure."""
    side = canvas.width
    line = Image.new('L', (side, side))
    draw = ImageDraw.Draw(line)
    for points in contours:
        closed = np.concatenate([points, points[:2]])
        draw.line(_flat(closed, side), fill=150, width=_stroke(0.045, side), joint='curve')
    tone = (20, 20, 28) if rng.random() < 0.5 else (250, 248, 240)
    inner = Image.new('L', (side, side))
    inner.paste(line, mask=silhouette)
    canvas.paste(tone, mask=inner)
