"""The layers that encoder, decoder and heads are built from."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from cosegnet_jax.ops import convolution, depthwise
from cosegnet_jax.ops.precision import accumulator

# Fidelity row 7: layers without ImageNet weights start He normal with zero bias.
he_normal = nnx.initializers.he_normal()


def scaled(channels: int, width: float) -> int:
    """Channels of a layer under the width multiplier, never fewer than four."""
    return max(4, round(channels * width))


class Convolution(nnx.Module):
    """A convolution of the given form. Parameters are float32; arithmetic is in the type of the input.

    Args:
        form: Function of `ops.convolution`.
        size: Side of the kernel that it takes.
        cin: Channels of its input.
        cout: Channels of its output.
        rngs: Source of the initial weights.
        start: Distribution of the kernel's initial weights.
    """

    def __init__(
        self,
        form: Callable[..., Array],
        size: int,
        cin: int,
        cout: int,
        *,
        rngs: nnx.Rngs,
        start: nnx.Initializer = he_normal,
    ):
        self.kernel = nnx.Param(start(rngs.params(), (size, size, cin, cout), jnp.float32))
        self.bias = nnx.Param(jnp.zeros((cout,), jnp.float32))
        self.form = form

    def __call__(self, x: Float[Array, 'n h w cin']) -> Float[Array, 'n h2 w2 cout']:
        """Apply the layer, without non-linearity."""
        return self.form(x, self.kernel[...].astype(x.dtype), self.bias[...].astype(x.dtype))


class Conv3x3(Convolution):
    """3×3 convolution, stride 1, SAME; with `upsample` the map is first doubled by nearest neighbor.

    At stride 1 a transposed convolution is a convolution with a flipped kernel (fidelity row 3), so this is
    both conv of the encoder and convT of the decoder.
    """

    def __init__(self, cin: int, cout: int, *, upsample: bool = False, rngs: nnx.Rngs):
        form = convolution.upsample_conv3x3 if upsample else convolution.conv3x3
        super().__init__(form, 3, cin, cout, rngs=rngs)
        self.upsample = upsample


class DepthwiseConvolution(nnx.Module):
    """Depthwise convolution, one k×k kernel a channel, with TensorFlow's SAME padding."""

    def __init__(self, size: int, stride: int, channels: int, *, rngs: nnx.Rngs):
        self.kernel = nnx.Param(he_normal(rngs.params(), (size, size, channels), jnp.float32))
        self.bias = nnx.Param(jnp.zeros((channels,), jnp.float32))
        self.stride = stride
        self.form: Callable[..., Any] = depthwise.convolve

    def __call__(self, x: Float[Array, 'n h w c']) -> Float[Array, 'n h2 w2 c']:
        """Apply the layer, without non-linearity."""
        y = self.form(x, self.kernel[...].astype(x.dtype), self.stride)
        return y + self.bias[...].astype(x.dtype)


class GroupNorm(nnx.Module):
    """Normalization of groups of channels over a photo (Wu and He, ECCV 2018), in float32; eight groups."""

    def __init__(self, channels: int):
        self.scale = nnx.Param(jnp.ones((channels,), jnp.float32))
        self.bias = nnx.Param(jnp.zeros((channels,), jnp.float32))
        self.groups = math.gcd(8, channels)

    def __call__(self, x: Float[Array, 'n h w c']) -> Float[Array, 'n h w c']:
        """Normalize the map; scale and shift it by channel."""
        wide = x.astype(accumulator(x))
        # Means of channels first: XLA:CPU does not vectorize a sum over groups.
        mean, square = (
            jnp.repeat(
                y.mean((1, 2)).reshape(x.shape[0], self.groups, -1).mean(2), x.shape[3] // self.groups, 1
            )
            for y in (wide, jnp.square(wide))
        )
        variance = jnp.maximum(square - jnp.square(mean), 0)
        gain = self.scale[...] * jax.lax.rsqrt(variance + 1e-5)
        shift = self.bias[...] - mean * gain
        return (wide * gain[:, None, None] + shift[:, None, None]).astype(x.dtype)


class Dense(nnx.Module):
    """Fully connected layer in float32."""

    def __init__(self, cin: int, cout: int, *, rngs: nnx.Rngs):
        self.kernel = nnx.Param(he_normal(rngs.params(), (cin, cout), jnp.float32))
        self.bias = nnx.Param(jnp.zeros((cout,), jnp.float32))

    def __call__(self, x: Float[Array, '*n cin']) -> Float[Array, '*n cout']:
        """Apply the layer, without non-linearity."""
        return jnp.dot(x, self.kernel[...], precision=jax.lax.Precision.HIGHEST) + self.bias[...]


def two_class_logit(scores: Float[Array, 'n h w 2']) -> Float[Array, 'n h w']:
    """Compute the logit of the object, class 1, under the softmax of two classes, in float32.

    The sigmoid of the difference equals that softmax, and their cross-entropies are equal too.
    """
    scores = scores.astype(jnp.float32)
    return scores[..., 1] - scores[..., 0]
