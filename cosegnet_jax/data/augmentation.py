"""Augmentation of training images, on the devices and inside the train step.

It depends on the random key alone, not on where the pixels are stored. The paper states none (fidelity row
21); mirroring is on by default, the rest is off.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key, UInt8

from cosegnet_jax.config import Data
from cosegnet_jax.data.batches import Batch
from cosegnet_jax.data.composites import paste

Images = UInt8[Array, '*batch h w 3']
Masks = UInt8[Array, '*batch h w']

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: gray of an RGB pixel


def augment(batch: Batch, key: Key[Array, ''], config: Data) -> Batch:
    """Vary each image as `config.composite`, `.flip`, `.scale_crop` and `.color` ask for."""
    if config.composite:
        key, of_composites = jax.random.split(key)
        batch = paste(batch, of_composites, config.composite)
    images, masks = batch.images, batch.masks
    flips, crops, colors = jax.random.split(key, 3)
    if config.flip:
        mirrored = jax.random.bernoulli(flips, shape=images.shape[:2])
        images, masks = mirror(images, mirrored, -2), mirror(masks, mirrored, -1)
    if config.scale_crop:
        scale, top, left = jax.random.uniform(crops, (3, *images.shape[:2]))
        scale = 1 - config.scale_crop * scale
        images, masks = crop(images, masks, scale, top * (1 - scale), left * (1 - scale))
    if config.color:
        factors = jax.random.uniform(colors, (3, *images.shape[:2]), minval=-1, maxval=1)
        images = recolor(images, *(1 + config.color * factors))
    return batch._replace(images=images, masks=masks)


def mirror(
    pixels: UInt8[Array, '*shape'], where: Bool[Array, 'groups members'], axis: int
) -> UInt8[Array, '*shape']:
    """Mirror along `axis` the images that `where` marks."""
    where = where.reshape(where.shape + (1,) * (pixels.ndim - where.ndim))
    return jnp.where(where, jnp.flip(pixels, axis), pixels)


def crop(
    images: Images,
    masks: Masks,
    scale: Float[Array, '*batch'],
    top: Float[Array, '*batch'],
    left: Float[Array, '*batch'],
) -> tuple[Images, Masks]:
    """Enlarge a square of each image to the whole: bilinearly for images, by nearest pixels for masks.

    Args:
        images: RGB, 0-255.
        masks: Any bytes.
        scale: Side of the square relative to the image's, in (0, 1].
        top: Rows above the square relative to the image's side; top + scale is at most 1.
        left: The same for columns.
    """
    height, width = masks.shape[-2:]
    rows, columns = _sources(height, scale, top), _sources(width, scale, left)

    def weights(source: Float[Array, '*batch out']) -> Float[Array, '*batch out side']:
        side = source.shape[-1]
        return jnp.maximum(0, 1 - jnp.abs(source[..., None] - jnp.arange(side)))

    # Two matrix products: the fastest form on accelerators.
    pixels = images.astype(jnp.float32)
    pixels = jnp.einsum('...yh,...hwc,...xw->...yxc', weights(rows), pixels, weights(columns))
    near_rows, near_columns = (jnp.round(source).astype(jnp.int32) for source in (rows, columns))
    marked = jnp.take_along_axis(masks, near_rows[..., :, None], -2)
    marked = jnp.take_along_axis(marked, near_columns[..., None, :], -1)
    return _bytes(pixels), marked


def _sources(
    side: int, scale: Float[Array, '*batch'], start: Float[Array, '*batch']
) -> Float[Array, '*batch {side}']:
    """Find the row or column that each pixel of the enlarged square comes from, clipped to the image."""
    centers = (jnp.arange(side) + 0.5) * scale[..., None] + start[..., None] * side - 0.5
    return jnp.clip(centers, 0, side - 1)


def recolor(
    images: Images,
    brightness: Float[Array, '*batch'],
    contrast: Float[Array, '*batch'],
    saturation: Float[Array, '*batch'],
) -> Images:
    """Scale the brightness, the contrast around the mean gray, and the saturation by these factors.

    A factor of 1 changes nothing; contrast 0 gives an even gray and saturation 0 a gray image.
    """
    brightness, contrast, saturation = (x[..., None, None, None] for x in (brightness, contrast, saturation))
    pixels = images.astype(jnp.float32) * brightness
    gray = (pixels @ jnp.array(_LUMA))[..., None]
    mean = gray.mean((-3, -2), keepdims=True)
    pixels = mean + contrast * (pixels - mean)
    gray = mean + contrast * (gray - mean)
    return _bytes(gray + saturation * (pixels - gray))


def _bytes(pixels: Float[Array, '*shape']) -> UInt8[Array, '*shape']:
    return jnp.clip(jnp.round(pixels), 0, 255).astype(jnp.uint8)
