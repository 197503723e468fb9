"""Pictures of pairs: photo, mask and cut-out side by side, as in the paper's Figures 1, 3 and 6."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from cosegnet_jax.evaluation.shown import ShownImage, ShownPair

MASK_COLOUR = np.array([37, 99, 235])  # blue under orange: told apart by the colour-blind, too
OUTLINE_COLOUR = np.array([255, 176, 0])
BOX_COLOUR = np.array([203, 208, 216])
INK = (55, 62, 74)
GAP = 4  # pixels between two tiles of a strip
CAPTION = 22  # pixels of a line of text


def strip(image: ShownImage, is_open: bool, side: int) -> UInt8[np.ndarray, 'height width 3']:
    """Lay out one image of a pair in three tiles.

    The tiles are the photo; the predicted mask, before the gate, in blue over the grey photo, with the
    outline in orange of what the pair has in common; and the cut-out, after the gate: an empty box when the
    gate is closed.

    Args:
        image: one of a pair.
        is_open: whether the pair was found to share an object.
        side: height of the result in pixels; the tiles keep the image's proportions.
    """
    size = (round(side * image.photo.shape[1] / image.photo.shape[0]), side)
    photo = np.asarray(Image.fromarray(image.photo).resize(size, Image.Resampling.BICUBIC)).astype(float)
    shown, true = _resized(image.mask, size), _resized(image.truth, size)
    grown = np.asarray(Image.fromarray(true.astype(np.uint8)).filter(ImageFilter.MaxFilter(5))) > 0

    grey = photo.mean(axis=2, keepdims=True)  # so that a blue photo does not look like a mask
    overlay = np.where(shown[..., None], 0.4 * grey + 0.6 * MASK_COLOUR, 0.6 * grey + 0.4 * 255)
    overlay[grown & ~true] = OUTLINE_COLOUR
    cutout = np.where((shown & is_open)[..., None], photo, 255)
    cutout[[0, -1], :] = BOX_COLOUR
    cutout[:, [0, -1]] = BOX_COLOUR

    gap = np.full((side, GAP, 3), 255.0)
    return np.concatenate([photo, gap, overlay, gap, cutout], axis=1).round().astype(np.uint8)


def write_pairs(path: str | Path, pairs: Sequence[ShownPair], side: int = 160) -> None:
    """Write a picture with one row per pair: its decision in words, then a strip for each of its two images.

    Args:
        path: file to write; its ending says the format, e.g. `.png`.
        pairs: at least one.
        side: height of a photo in pixels.
    """
    font = ImageFont.load_default(size=14)
    strips = []
    for pair in pairs:
        both = [strip(image, pair.is_open, side) for image in pair.images]
        strips.append(np.concatenate([both[0], np.full((side, 4 * GAP, 3), 255, np.uint8), both[1]], axis=1))
    row_height = CAPTION + side + 3 * GAP
    width = strips[0].shape[1]
    canvas = Image.new('RGB', (width, row_height * len(pairs)), 'white')
    draw = ImageDraw.Draw(canvas)
    for row, (pair, pixels) in enumerate(zip(pairs, strips, strict=True)):
        caption = f'{pair.classes}: {pair.verdict}, probability {pair.probability:.2f}'
        draw.text((1, row * row_height), caption, INK, font)
        canvas.paste(Image.fromarray(pixels), (0, row * row_height + CAPTION))
    canvas.save(path)


def _resized(mask: Bool[np.ndarray, 'h w'], size: tuple[int, int]) -> Bool[np.ndarray, 'height width']:
    """Scale a mask with smooth edges."""
    scaled = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(scaled) >= 128
