"""3×3 convolution of stride 2, as the first layer of small encoders has it."""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from cosegnet_jax.ops.precision import accumulator
from cosegnet_jax.ops.same_convolution import convolve


def halving_conv3x3(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '3 3 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n h2 w2 cout']:
    """3×3 convolution of stride 2 with TensorFlow's SAME padding of a map with even sides, plus a bias.

    The padding is one row of zeros below and one column to the right. Four pixels become one pixel of four
    times the channels, on which a 2×2 kernel of stride 1 does the same. On the CPU it takes half of the time.
    """
    n, h, w, cin = x.shape
    cout = kernel.shape[3]
    quarters = x.reshape(n, h // 2, 2, w // 2, 2, cin).transpose(0, 1, 3, 2, 4, 5)
    taps = jnp.pad(kernel, ((0, 1), (0, 1), (0, 0), (0, 0))).reshape(2, 2, 2, 2, cin, cout)
    small = convolve(
        quarters.reshape(n, h // 2, w // 2, 4 * cin),
        taps.transpose(0, 2, 1, 3, 4, 5).reshape(2, 2, 4 * cin, cout),
    )
    y = small[:, 1:, 1:].astype(accumulator(x)) + bias.astype(accumulator(x))
    return y.astype(x.dtype)


def plain(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '3 3 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n h2 w2 cout']:
    """`halving_conv3x3` in XLA's own form."""
    dimensions = ('NHWC', 'HWIO', 'NHWC')
    return lax.conv_general_dilated(x, kernel, (2, 2), 'SAME', dimension_numbers=dimensions) + bias
