"""Pictures of pairs: photo, mask and cut-out side by side, as in the paper's Figures 1, 3 and 6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, ImageDraw, ImageFont

from cosegnet_jax.data.outline import draw_outline
from cosegnet_jax.reports.figures.pair_views import ImageView, PairView

MASK_COLOR = np.array([37, 99, 235])  # blue, under an orange outline
BOX_COLOR = np.array([203, 208, 216])
INK = (55, 62, 74)
GAP = 4  # pixels between two tiles of an image
BETWEEN = 16  # pixels between the tiles of two images
CAPTION = 22  # pixels of a line of text


def strip(image: ImageView, is_open: bool, side: int) -> UInt8[np.ndarray, 'height width 3']:
    """Lay out one image of a pair in three tiles.

    The tiles are the photo; the predicted mask, before the gate, in blue over the gray photo, with the
    outline in orange of what the pair has in common; and the cut-out, after the gate: an empty box when the
    gate is closed.

    Args:
        image: one of a pair.
        is_open: whether the pair was found to share an object.
        side: height of the result in pixels; the tiles keep the image's proportions.
    """
    return _side_by_side([_photo(image, side), _overlay(image, side), _cutout(image, is_open, side)], GAP)


def write_pairs(path: str | Path, pairs: Sequence[PairView], side: int = 160) -> None:
    """Write a picture with one row per pair: its decision in words, then a strip for each of its two images.

    Args:
        path: file to write; its ending says the format, e.g. `.png`.
        pairs: at least one.
        side: height of a photo in pixels.
    """
    rows = []
    for pair in pairs:
        pixels = _side_by_side([strip(image, pair.is_open, side) for image in pair.images], BETWEEN)
        rows.append(_row({0: f'{pair.classes}: {decision(pair)}'}, pixels))
    Image.fromarray(np.concatenate(rows)).save(path)


def write_compared(path: str | Path, models: Mapping[str, Sequence[PairView]], side: int = 160) -> None:
    """Write a picture with one row per pair: its photos, and what each model cuts out after its decision.

    Args:
        path: file to write; its ending says the format, e.g. `.png`.
        models: by name, the same pairs as each model sees them; at least one of each.
        side: height of a photo in pixels.
    """
    rows = []
    for of_models in zip(*models.values(), strict=True):
        photos = [_photo(image, side) for image in of_models[0].images]
        cutouts = [[_cutout(image, pair.is_open, side) for image in pair.images] for pair in of_models]
        blocks = [_side_by_side(tiles, GAP) for tiles in (photos, *cutouts)]
        starts = [column * (blocks[0].shape[1] + BETWEEN) for column in range(len(blocks))]
        pixels = _side_by_side(blocks, BETWEEN)
        words = [of_models[0].classes, *map(decision, of_models)]
        rows.append(_row(dict(zip(starts, words, strict=True)), pixels))
    heading = _line(dict(zip(starts, ['Photos', *models], strict=True)), pixels.shape[1])
    Image.fromarray(np.concatenate([heading, *rows])).save(path)


def decision(pair: PairView) -> str:
    """The decision and its probability, in words."""
    return f'{pair.verdict}, probability {pair.probability:.2f}'


def _photo(image: ImageView, side: int) -> UInt8[np.ndarray, 'height width 3']:
    return np.asarray(Image.fromarray(image.photo).resize(_size(image, side), Image.Resampling.BICUBIC))


def _overlay(image: ImageView, side: int) -> UInt8[np.ndarray, 'height width 3']:
    shown, true = _resized(image.mask, _size(image, side)), _resized(image.truth, _size(image, side))
    gray = _photo(image, side).mean(axis=2, keepdims=True)  # so that a blue photo does not look like a mask
    overlay = np.where(shown[..., None], 0.4 * gray + 0.6 * MASK_COLOR, 0.6 * gray + 0.4 * 255)
    draw_outline(overlay, true)
    return overlay.round().astype(np.uint8)


def _cutout(image: ImageView, is_open: bool, side: int) -> UInt8[np.ndarray, 'height width 3']:
    kept = _resized(image.mask, _size(image, side)) & is_open
    cutout = np.where(kept[..., None], _photo(image, side), np.uint8(255))
    cutout[[0, -1], :] = BOX_COLOR
    cutout[:, [0, -1]] = BOX_COLOR
    return cutout


def _side_by_side(
    tiles: Sequence[UInt8[np.ndarray, 'height _ 3']], gap: int
) -> UInt8[np.ndarray, 'height width 3']:
    """Tiles in a row, with that many white pixels between two."""
    white = np.full((len(tiles[0]), gap, 3), 255, np.uint8)
    return np.concatenate([part for tile in tiles for part in (white, tile)][1:], axis=1)


def _row(
    texts: Mapping[int, str], pixels: UInt8[np.ndarray, 'high width 3']
) -> UInt8[np.ndarray, 'height width 3']:
    """A line of text, pictures below it, and white to the next row."""
    return np.concatenate(
        [_line(texts, pixels.shape[1]), pixels, np.full((3 * GAP, pixels.shape[1], 3), 255, np.uint8)]
    )


def _line(texts: Mapping[int, str], width: int) -> UInt8[np.ndarray, 'height {width} 3']:
    """Texts by the pixel where they begin, each cut short where it would run into the next."""
    canvas = Image.new('RGB', (width, CAPTION), 'white')
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=14)
    ends = [*list(texts)[1:], width]
    for (start, text), end in zip(texts.items(), ends, strict=True):
        fitting = text
        while len(fitting) > 1 and draw.textlength(fitting, font) > end - start - GAP:
            fitting = f'{fitting[:-2]}…'
        draw.text((start + 1, 0), fitting, INK, font)
    return np.asarray(canvas)


def _size(image: ImageView, side: int) -> tuple[int, int]:
    """Width and height of a tile."""
    return round(side * image.photo.shape[1] / image.photo.shape[0]), side


def _resized(mask: Bool[np.ndarray, 'h w'], size: tuple[int, int]) -> Bool[np.ndarray, 'height width']:
    """Scale a mask with smooth edges."""
    scaled = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(scaled) >= 128
