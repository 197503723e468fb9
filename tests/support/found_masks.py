"""A result with masks of every kind, in two groups and an outlier."""

import numpy as np
from PIL import Image

from cosegnet_jax.inference.cosegmentation import CoSegmentation


def blobs(seed, height, width):
    """Smooth noise, cut: parts of all sizes, with holes, at the edges, touching at corners."""
    noise = np.random.default_rng(seed).integers(0, 256, (height // 3, width // 3), np.uint8)
    smooth = Image.fromarray(noise).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(smooth) > 140


def only(*pixels, shape=(5, 7)):
    mask = np.zeros(shape, bool)
    for row, column in pixels:
        mask[row, column] = True
    return mask


MASKS = {
    'cow/portrait.jpg': blobs(0, 90, 51),
    'cow/portrait.png': blobs(1, 90, 51),  # claims the same name with another suffix
    'landscape & "quoted" 😀.jpg': blobs(2, 40, 120),
    'empty in a group.jpg': np.zeros((6, 4), bool),
    'car/whole.jpg': np.ones((4, 9), bool),
    'car/ring.jpg': np.pad(np.zeros((3, 4), bool), 2, constant_values=True),
    'car/pixel.jpg': only((0, 6)),
    'car/pair.jpg': only((2, 3), (3, 4)),
    'car/line.jpg': only((4, 0), (4, 1), (4, 2), (3, 3), (2, 3)),
    'outlier.jpg': np.zeros((8, 5), bool),
}
GROUPS = {
    name: 1 if name.startswith('car') else 2 for name in MASKS if name not in ('outlier.jpg',)
}  # the largest is the first


def found():
    names = tuple(MASKS)
    members = {group: [i for i, name in enumerate(names) if GROUPS.get(name) == group] for group in (1, 2)}
    assert len(members[1]) > len(members[2])
    count = len(names)
    return CoSegmentation(
        names=names,
        masks=list(MASKS.values()),
        soft_masks=[mask.astype(np.float32) for mask in MASKS.values()],
        probabilities=np.eye(count, dtype=np.float32),
        groups=[members[1], members[2]],
        outliers=[count - 1],
        embeddings=np.zeros((count, 64), np.float32),
        photos=[Image.new('RGB', mask.shape[::-1]) for mask in MASKS.values()],
    )


def check(masks_by_name, groups_by_name):
    """Of the photos that have an annotation: what a tool reads is what was found."""
    expected = {name: mask for name, mask in MASKS.items() if mask.any()}
    assert groups_by_name == {name: f'group {GROUPS[name]}' for name in expected}
    assert masks_by_name.keys() == expected.keys()
    for name, mask in expected.items():
        np.testing.assert_array_equal(masks_by_name[name], mask, name)
