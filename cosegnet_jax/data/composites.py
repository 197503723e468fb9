"""Composites: an object of one training image is pasted on another, which then shows two classes.

The partner alone decides which of the objects is shared. PASCAL VOC has few such photos (Ghiasi et al.,
Simple Copy-Paste, CVPR 2021).
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Int32, Key, UInt8

from cosegnet_jax.data.batches import Batch
from cosegnet_jax.data.examples import NO_CLASS

_SMALLEST = 0.02  # smallest area of a pasted object, relative to its own photo
_SIDE = (0.35, 0.75)  # range of the pasted object's longer side, relative to the photo's
_PLACES = 8  # random places; the one that hides least is taken
_HIDDEN = 0.65  # largest share of the photo's own objects that may be hidden


class _Object(NamedTuple):
    """One object of each image: its value in the mask, and its box in pixels."""

    number: Int[Array, ' n']
    label: Int32[Array, ' n']  # NO_CLASS where no object is large enough
    top: Int[Array, ' n']
    left: Int[Array, ' n']
    height: Int[Array, ' n']
    width: Int[Array, ' n']


def paste(batch: Batch, key: Key[Array, ''], share: float) -> Batch:
    """Paste an object of another image on `share` of the images.

    Labels get one more column: the class of the pasted object, or NO_CLASS. Nothing is pasted on an image
    that is filed under the same class.

    Args:
        batch: Images, masks and labels.
        key: Draws images, objects and places.
        share: Of the images, in [0, 1).
    """
    shape = batch.labels.shape[:2]
    images, masks, labels, _ = (x.reshape(-1, *x.shape[2:]) for x in batch)
    n, height, width = masks.shape
    for_which, for_donor, for_object, for_side, for_place, for_mirror = jax.random.split(key, 6)
    donor = (jnp.arange(n) + jax.random.randint(for_donor, (), 1, max(n, 2))) % n
    given = _find_object(masks, labels, for_object)
    given = jax.tree.map(lambda x: x[donor], given)

    longer = jnp.maximum(given.height, given.width)
    side = jax.random.uniform(for_side, (n,), minval=_SIDE[0], maxval=_SIDE[1]) * min(height, width)
    zoom = side / longer
    top, left, hidden = _place(masks > 0, zoom * given.height, zoom * given.width, for_place)
    pasted = jax.random.bernoulli(for_which, share, (n,)) & (given.label != NO_CLASS) & (hidden <= _HIDDEN)
    pasted &= (labels != given.label[:, None]).all(1)

    mirrored = jax.random.bernoulli(for_mirror, shape=(n,))
    rows = _weights(height, zoom, top, given.top, given.height, jnp.zeros(n, bool))
    columns = _weights(width, zoom, left, given.left, given.width, mirrored)
    object_of = (masks[donor] == given.number[:, None, None]).astype(jnp.float32)
    pixels = images[donor].astype(jnp.float32)
    cut = jnp.einsum('nyh,nhwc,nxw->nyxc', rows, pixels * object_of[..., None], columns)
    cover = jnp.einsum('nyh,nhw,nxw->nyx', rows, object_of, columns)
    cover = jnp.where(pasted[:, None, None], cover, 0.0)
    colors = cut / jnp.maximum(cover, 1e-3)[..., None]
    mixed = images + cover[..., None] * (jnp.where(cover[..., None] > 1e-3, colors, 0.0) - images)
    number = jnp.uint8(labels.shape[1] + 1)
    return batch._replace(
        images=jnp.clip(jnp.round(mixed), 0, 255).astype(jnp.uint8).reshape(batch.images.shape),
        masks=jnp.where(cover > 0.5, number, masks).reshape(batch.masks.shape),
        labels=jnp.concatenate(
            [labels, jnp.where(pasted, given.label, NO_CLASS)[:, None].astype(labels.dtype)], 1
        ).reshape(*shape, -1),
    )


def _find_object(
    masks: UInt8[Array, 'n h w'], labels: Int32[Array, 'n objects'], key: Key[Array, '']
) -> _Object:
    """Choose one of the large objects of each image, all with the same chance."""
    objects = labels.shape[1]
    areas = jnp.stack([(masks == k).mean((1, 2)) for k in range(1, objects + 1)], 1)
    large = (areas > _SMALLEST) & (labels != NO_CLASS)
    number = jnp.argmax(jnp.where(large, jax.random.uniform(key, large.shape), -1.0), 1)
    label = jnp.where(large.any(1), jnp.take_along_axis(labels, number[:, None], 1)[:, 0], NO_CLASS)
    pixels = masks == (number + 1)[:, None, None]
    (top, height), (left, width) = (_extent(pixels.any(axis)) for axis in (2, 1))
    return _Object(number + 1, label, top, left, height, width)


def _extent(marked: Bool[Array, 'n side']) -> tuple[Int[Array, ' n'], Int[Array, ' n']]:
    """Return the first marked place of each row, and the length from it to the last marked place."""
    first = jnp.argmax(marked, 1)
    last = marked.shape[1] - 1 - jnp.argmax(marked[:, ::-1], 1)
    return first, jnp.where(marked.any(1), last - first + 1, 1)


def _place(
    own: Bool[Array, 'n h w'], height: Float[Array, ' n'], width: Float[Array, ' n'], key: Key[Array, '']
) -> tuple[Float[Array, ' n'], Float[Array, ' n'], Float[Array, ' n']]:
    """Choose top and left of a box inside the photo; return also the share of objects that it covers."""
    n, h, w = own.shape
    down, right = jax.random.uniform(key, (2, _PLACES, n))
    top, left = down * (h - height), right * (w - width)
    sums = jnp.pad(own.astype(jnp.float32).cumsum(1).cumsum(2), ((0, 0), (1, 0), (1, 0)))

    def at(y: Float[Array, 'p n'], x: Float[Array, 'p n']) -> Float[Array, 'p n']:
        return sums[jnp.arange(n), jnp.round(y).astype(int), jnp.round(x).astype(int)]

    bottom, end = top + height, left + width
    covered = at(bottom, end) - at(top, end) - at(bottom, left) + at(top, left)
    hidden = covered / jnp.maximum(own.sum((1, 2)), 1)
    best = jnp.argmin(hidden, 0)[None]
    top, left, hidden = (jnp.take_along_axis(x, best, 0)[0] for x in (top, left, hidden))
    return top, left, hidden


def _weights(
    side: int,
    zoom: Float[Array, ' n'],
    place: Float[Array, ' n'],
    start: Int[Array, ' n'],
    length: Int[Array, ' n'],
    mirrored: Bool[Array, ' n'],
) -> Float[Array, 'n side side']:
    """Weight the rows (or columns) of the other photo for each row of this photo; zero outside of the box.

    Weights are bilinear; where the object shrinks, they average the rows that fall into one.
    """
    zoom, place, start, length, mirrored = (x[:, None] for x in (zoom, place, start, length, mirrored))
    source = (jnp.arange(side) + 0.5 - place) / zoom
    inside = (source >= 0) & (source <= length)
    source = jnp.where(mirrored, length - source, source) + start - 0.5
    reach = jnp.maximum(1, 1 / zoom)[..., None]
    weights = jnp.maximum(0, 1 - jnp.abs(source[..., None] - jnp.arange(side)) / reach)
    return jnp.where(inside[..., None], weights / reach, 0.0)
