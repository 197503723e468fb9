"""A small photo of three colors, and a mask of one of them."""

import numpy as np
from PIL import Image

RED, GREEN, BLUE = (200, 30, 20), (20, 180, 40), (10, 20, 220)


def quarters(mode='RGB', size=(40, 20)):
    """Red at the top left, green at the top right, blue below."""
    width, height = size
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = RED
    pixels[: height // 2, width // 2 :] = GREEN
    pixels[height // 2 :] = BLUE
    return Image.fromarray(pixels).convert(mode, palette=Image.Palette.ADAPTIVE)


def top_left(size=(40, 20)):
    """Mask of the red quarter."""
    mask = np.zeros(size[::-1], np.uint8)
    mask[: size[1] // 2, : size[0] // 2] = 255
    return Image.fromarray(mask)


def palette(indices):
    """A palette image of these indices, in the colors of PASCAL VOC: 0 is black, and 255 is nearly white."""
    image = Image.fromarray(indices.astype(np.uint8))
    bits = np.arange(256)[:, None] >> np.arange(3)  # of each index, for red, green and blue
    levels = sum((bits >> 3 * place & 1) << 7 - place for place in range(3))
    image.putpalette(levels.astype(np.uint8).ravel().tolist())
    return image


def save(root, name, image=None, mask=None):
    """Writes `images/<name>` and the mask of its stem into a folder; returns their paths."""
    photo = root / 'images' / name
    drawn = (root / 'masks' / name).with_suffix('.png')
    for path, picture in ((photo, image or quarters()), (drawn, mask or top_left())):
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    with photo.open('ab') as file:  # what follows an image is not read, but no two files are copies
        file.write(name.encode())
    return photo, drawn
