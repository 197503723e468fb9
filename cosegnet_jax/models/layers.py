"""The layers that encoder, decoder and heads are built from."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from cosegnet_jax.models import convolution

# Fidelity row 7: whatever does not come from ImageNet starts He normal with zero bias.
he_normal = nnx.initializers.he_normal()


def scaled(channels: int, width: float) -> int:
    """Channels of a layer under the width multiplier, never fewer than four."""
    return max(4, round(channels * width))


class Conv3x3(nnx.Module):
    """3×3 convolution, stride 1, SAME, on a map that is first doubled by nearest neighbour if `upsample`.

    At stride 1 a transposed convolution is a convolution up to a flip of its kernel (fidelity row 3), so
    one layer serves conv of the encoder and convT of the decoder. Parameters are float32; arithmetic is
    done in the type of the input.
    """

    def __init__(self, cin: int, cout: int, *, upsample: bool = False, rngs: nnx.Rngs):
        self.kernel = nnx.Param(he_normal(rngs.params(), (3, 3, cin, cout), jnp.float32))
        self.bias = nnx.Param(jnp.zeros((cout,), jnp.float32))
        self.upsample = upsample

    def __call__(self, x: Float[Array, 'n h w cin']) -> Float[Array, 'n h2 w2 cout']:
        """The layer without its non-linearity."""
        kernel, bias = self.kernel[...].astype(x.dtype), self.bias[...].astype(x.dtype)
        form = convolution.upsample_conv3x3 if self.upsample else convolution.conv3x3
        return form(x, kernel, bias)


class Dense(nnx.Module):
    """Fully connected layer in float32."""

    def __init__(self, cin: int, cout: int, *, rngs: nnx.Rngs):
        self.kernel = nnx.Param(he_normal(rngs.params(), (cin, cout), jnp.float32))
        self.bias = nnx.Param(jnp.zeros((cout,), jnp.float32))

    def __call__(self, x: Float[Array, '*n cin']) -> Float[Array, '*n cout']:
        """The layer without its non-linearity."""
        return jnp.dot(x, self.kernel[...], precision=jax.lax.Precision.HIGHEST) + self.bias[...]
