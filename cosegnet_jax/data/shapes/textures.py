"""Colors and textures of figures and grounds, all from one distribution."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from jaxtyping import Float, Float32, UInt8
from PIL import Image

CONTRAST = 0.25  # least Oklab distance of a figure's mean color from that of any ground

Field = Float32[np.ndarray, 'side side']

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
class Palette:
    """The two colors of a texture, in Oklab (lightness 0-1, a, b)."""

    dark: Float[np.ndarray, ' 3']
    light: Float[np.ndarray, ' 3']

    @property
    def mean(self) -> Float[np.ndarray, ' 3']:
        """Halfway between the two."""
        return (self.dark + self.light) / 2


def draw_palettes(
    grounds: int, figures: int, rng: np.random.Generator
) -> tuple[list[Palette], list[Palette]]:
    """Palettes for grounds and figures, from one distribution and drawn anew until they contrast."""
    while True:
        palettes = [draw_palette(rng) for _ in range(grounds + figures)]
        behind, before = palettes[:grounds], palettes[grounds:]
        if all(np.linalg.norm(f.mean - g.mean) >= CONTRAST for f in before for g in behind):
            return behind, before


def draw_palette(rng: np.random.Generator) -> Palette:
    """Draw two colors of one hue, one lighter than the other."""
    lightness, chroma, hue = rng.uniform(0.36, 0.88), rng.uniform(0.03, 0.16), rng.uniform(0, 2 * math.pi)
    step, turn = rng.uniform(0.04, 0.1), rng.uniform(-0.5, 0.5)
    return Palette(
        np.array([lightness - step, chroma * math.cos(hue - turn), chroma * math.sin(hue - turn)]),
        np.array([lightness + step, chroma * math.cos(hue + turn), chroma * math.sin(hue + turn)]),
    )


def rgb(oklab: Float[np.ndarray, '*n 3']) -> UInt8[np.ndarray, '*n 3']:
    """Oklab to 8-bit sRGB, clipped to its gamut."""
    linear = np.clip((oklab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_LINEAR.T, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * encoded).astype(np.uint8)


def textured(palette: Palette, side: int, rng: np.random.Generator) -> Image.Image:
    """Fill a square with one of the five textures."""
    weights = _TEXTURES[rng.integers(len(_TEXTURES))](side, rng)
    ramp = palette.dark + np.linspace(0, 1, 256)[:, None] * (palette.light - palette.dark)
    image = Image.fromarray((255 * np.clip(weights, 0, 1)).astype(np.uint8))
    image.putpalette(rgb(ramp).tobytes())
    return image.convert('RGB')


def turned_axes(side: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Coordinates of every pixel along two perpendicular axes in a random direction."""
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side
    angle = rng.uniform(0, 2 * math.pi)
    c, s = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    return c * axis + s * axis[:, None], c * axis[:, None] - s * axis


def _phases(side: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Give the turned axes in radians of a random wavelength (0.08 to 0.22 of the side) and start."""
    u, v = turned_axes(side, rng)
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
    u, _ = turned_axes(side, rng)
    return (u - u.min()) / (u.max() - u.min())


_TEXTURES = (_stripes, _checks, _spots, _smooth_noise, _gradient)
