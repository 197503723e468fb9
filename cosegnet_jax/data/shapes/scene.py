"""The embedded data set: textured figures on cluttered, textured grounds, drawn from a seed alone.

Six classes that differ by outline only. Figure and ground get their textures and colors from one
distribution, so neither a color nor a place says what is object; the only rule is that a figure stands
out from the ground behind it. Everything is laid out in units of the image's side and drawn
`SUPERSAMPLING` times too large, so that one seed shows the same scenes at every image size.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.shapes.outlines import figures_of, silhouette_of
from cosegnet_jax.data.shapes.surroundings import beyond_a_wavy_line, cast_shadow, draw_rim, scatter_clutter
from cosegnet_jax.data.shapes.textures import draw_palettes, textured
from cosegnet_jax.runtime.errors import UserError

CLASSES = ('disc', 'bar', 'triangle', 'star', 'cross', 'ring')

MIN_IMAGE_SIZE = 32  # pixels; below it the six outlines are no longer told apart
SUPERSAMPLING = 3  # drawn pixels per side of one image pixel


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


def _draw(
    kind: str, image_size: int, rng: np.random.Generator
) -> tuple[UInt8[np.ndarray, 'size size 3'], UInt8[np.ndarray, 'size size']]:
    """One image and its mask."""
    side = image_size * SUPERSAMPLING
    figures = figures_of(kind, rng)
    grounds, paints = draw_palettes(1 if rng.random() < 0.75 else 2, len(figures), rng)

    canvas = textured(grounds[0], side, rng)
    for ground in grounds[1:]:
        canvas.paste(textured(ground, side, rng), mask=beyond_a_wavy_line(side, rng))
    scatter_clutter(canvas, rng)

    union = Image.new('L', (side, side))
    for contours, paint in zip(figures, paints, strict=True):
        silhouette = silhouette_of(contours, side)
        if rng.random() < 0.6:
            cast_shadow(canvas, contours, rng)
        canvas.paste(textured(paint, side, rng), mask=silhouette)
        if rng.random() < 0.6:
            draw_rim(canvas, contours, silhouette, rng)
        union.paste(255, mask=silhouette)

    image = np.asarray(canvas.reduce(SUPERSAMPLING), np.float32)
    grain = rng.normal(0, 3, image.shape)
    mask = np.asarray(union.reduce(SUPERSAMPLING)) >= 128
    return np.clip(np.rint(image + grain), 0, 255).astype(np.uint8), mask.astype(np.uint8)
