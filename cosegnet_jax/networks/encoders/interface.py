"""The interface of encoders."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from cosegnet_jax.networks.layers import scaled
from cosegnet_jax.runtime.errors import UserError


class Chain(nnx.Module):
    """An encoder of blocks that each halve the map; it returns the maps of the last `map_count` blocks."""

    block_count: int
    map_count: int

    def run_block(self, number: int, x: Float[Array, 'n h w c']) -> Float[Array, 'n h2 w2 c2']:
        """Compute the map of block `number`, counted from 0, from the map before it."""
        raise NotImplementedError

    def __call__(self, x: Float[Array, 'n h w 3']) -> tuple[Float[Array, 'n _ _ _'], ...]:
        """Compute the maps of normalized photos, the finest first."""
        return self.first_maps(x, self.block_count)

    def first_maps(self, x: Float[Array, 'n h w 3'], blocks: int) -> tuple[Float[Array, 'n _ _ _'], ...]:
        """Compute those of the maps that the first `blocks` blocks make."""
        maps = []
        for number in range(blocks):
            x = self.run_block(number, x)
            maps.append(x)
        return tuple(maps[self.block_count - self.map_count :])

    def all_maps(self, first: tuple[Float[Array, 'n _ _ _'], ...]) -> tuple[Float[Array, 'n _ _ _'], ...]:
        """Compute the maps that follow `first`, which has at least one; return all."""
        maps = list(first)
        for number in range(self.block_count - self.map_count + len(maps), self.block_count):
            maps.append(self.run_block(number, maps[-1]))
        return tuple(maps)


@dataclasses.dataclass(frozen=True)
class Encoder:
    """Photos to feature maps, the finest first.

    `build(width=..., rngs=...)` makes the module, a `Chain`. Its layers are in its attribute `layers`, a dict
    by name.
    """

    build: Callable[..., Chain]
    channels: tuple[int, ...]  # of each map at width 1
    strides: tuple[int, ...]  # of each map: pixels of the photo a pixel, powers of two
    blocks: tuple[tuple[str, ...], ...]  # names of the layers, in groups that config.optimizer freezes
    mean: tuple[float, float, float]  # of R, G and B on the scale 0-255
    std: tuple[float, float, float]  # likewise

    def normalize(self, images: UInt8[Array, 'n h w 3'], dtype: Any) -> Float[Array, 'n h w 3']:
        """Convert pixels 0-255 to the input of the encoder; bytes reach the device faster than floats.

        Raises:
            UserError: A side is no multiple of the last stride.
        """
        stride = self.strides[-1]
        height, width = images.shape[1:3]
        for side in (height, width):
            if side < stride or side % stride:
                below = max(stride, side // stride * stride)
                raise UserError(
                    f'image size {height}×{width}: each side must be a multiple of {stride}; '
                    f'use for example {below} or {below + stride}'
                )
        z = (images.astype(jnp.float32) - jnp.asarray(self.mean)) / jnp.asarray(self.std)
        return z.astype(dtype)

    def widths(self, width: float) -> tuple[int, ...]:
        """Compute the channels of each map under the width multiplier."""
        return tuple(scaled(channels, width) for channels in self.channels)
