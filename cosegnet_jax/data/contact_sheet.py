"""A contact sheet: some images of every class, with the outlines of their masks."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, ImageDraw, ImageFont

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.outline import draw_outline

IMAGES_OF_CLASS = 6
CLASSES_IN_COLUMN = 5  # or more where there are too many classes for the columns
COLUMNS = 2
PAPER, INK, GRAY = (255, 255, 255), (24, 28, 36), (110, 118, 130)
OUTLIER = (206, 32, 56)
FONT = Path(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf')  # Pillow's own has ASCII letters only
GAP = 6  # pixels between images
TEXT = 20  # pixels of a line of text
MARGIN = 20


def write(path: str | Path, examples: Examples) -> None:
    """Write the sheet of a set; the suffix of the file tells the format."""
    draw(examples, seed=0).save(path)


def draw(examples: Examples, seed: int) -> Image.Image:
    """Draw a few images of each class, chosen at random, at their size in `examples`.

    The object of the class is outlined and keeps its colors; the rest is dimmed. An outlier has a red frame.
    """
    side = examples.images.shape[1]
    columns = min(COLUMNS, -(-len(examples.classes) // CLASSES_IN_COLUMN))
    deep = -(-len(examples.classes) // columns)
    width = IMAGES_OF_CLASS * (side + GAP) - GAP
    height = TEXT + side + 2 * GAP
    sheet = Image.new('RGB', (columns * (width + MARGIN) + MARGIN, deep * (height + GAP) + 2 * MARGIN), PAPER)
    rng = np.random.default_rng(seed)
    for number in range(len(examples.classes)):
        column, line = divmod(number, deep)
        corner = (MARGIN + column * (width + MARGIN), MARGIN + line * (height + GAP))
        sheet.paste(_strip(examples, number, width, rng), corner)
    return sheet


def _strip(examples: Examples, number: int, width: int, rng: np.random.Generator) -> Image.Image:
    """Draw the name of a class and its counts above some of its images."""
    side = examples.images.shape[1]
    members, places = np.nonzero(examples.labels == number)
    visible = examples.visible[members, places]
    strip = Image.new('RGB', (width, TEXT + side), PAPER)
    pen, large, small = ImageDraw.Draw(strip), ImageFont.truetype(FONT, 15), ImageFont.truetype(FONT, 12)
    name = examples.classes[number]
    pen.text((0, TEXT - 6), name, INK, large, anchor='ls')
    outliers = f', {(~visible).sum()} outliers' if not visible.all() else ''
    pen.text(
        (large.getlength(name) + 8, TEXT - 6), f'{len(members)} images{outliers}', GRAY, small, anchor='ls'
    )

    chosen = np.sort(rng.permutation(len(members))[:IMAGES_OF_CLASS])
    for place, index in enumerate(chosen):
        photo, mask = (np.asarray(of[int(members[index])]) for of in (examples.images, examples.masks))
        left = place * (side + GAP)
        strip.paste(Image.fromarray(_marked(photo, mask == places[index] + 1)), (left, TEXT))
        if not visible[index]:
            pen.rectangle((left, TEXT, left + side - 1, TEXT + side - 1), outline=OUTLIER, width=4)
            pen.text(
                (left + 9, TEXT + side - 10),
                'outlier',
                PAPER,
                small,
                'ls',
                stroke_width=3,
                stroke_fill=OUTLIER,
            )
    return strip


def _marked(
    photo: UInt8[np.ndarray, 'side side 3'], inside: Bool[np.ndarray, 'side side']
) -> UInt8[np.ndarray, 'side side 3']:
    """Dim and gray all but the object, and draw a line around it."""
    if not inside.any():
        return photo
    gray = photo.mean(axis=2, keepdims=True)
    picture = np.where(inside[..., None], photo, 0.3 * photo + 0.3 * gray + 0.2 * 255)
    draw_outline(picture, inside)
    return picture.round().astype(np.uint8)
