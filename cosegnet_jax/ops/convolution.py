"""The convolutions that the networks are made of, in fast forms.

All are exact: values and gradients are those of the plain forms in `jax.lax`, up to rounding.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from cosegnet_jax.ops import cpu_upsampling
from cosegnet_jax.ops.precision import accumulator
from cosegnet_jax.ops.same_convolution import convolve

# [phase, small tap, tap]: which taps over an enlarged row fall on the same pixel of the small row. Of three
# taps, the middle one is on the second copy of a pixel (phase 0) or on the first (phase 1); of five, on the
# first (phase 0) or on the second.
_TAPS_OF_PHASE = {
    3: np.array([[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]]]),
    5: np.array(
        [
            [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]],
            [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1]],
        ]
    ),
}


def conv3x3(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '3 3 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n h w cout']:
    """3×3 convolution of stride 1 with zeros around the map, plus a bias."""
    return _add_bias(convolve(x, kernel), bias)


def conv7x7(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '7 7 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n h w cout']:
    """7×7 convolution of stride 1 with zeros around the map, plus a bias."""
    return _add_bias(convolve(x, kernel), bias)


def pointwise(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '1 1 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n h w cout']:
    """1×1 convolution, which is a matrix product, plus a bias."""
    y = jnp.matmul(x, kernel[0, 0], preferred_element_type=accumulator(x))
    return _add_bias(y, bias).astype(x.dtype)


def upsample_conv3x3(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '3 3 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n 2*h 2*w cout']:
    """Nearest-neighbor enlargement by two, then `conv3x3`, without making the enlarged map.

    In the form that is fastest on the device: docs/performance.md has the figures.
    """
    precise = x.dtype == accumulator(x)
    return lax.platform_dependent(
        x,
        kernel,
        bias,
        cpu=cpu_upsampling.upsample_conv3x3 if precise else upsample_conv3x3_by_phases,
        tpu=upsample_conv3x3_transposed,
        default=upsample_conv3x3_by_phases,
    )


def upsample_conv3x3_by_phases(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '3 3 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n 2*h 2*w cout']:
    """`upsample_conv3x3` as four convolutions of the small map, one for each phase of the enlarged one.

    Three neighbors in an enlarged row are copies of only two pixels, so each of the four output
    phases is a 2×2 convolution of the small map whose taps are sums of the 3×3 taps: 4/9 of the
    multiplications. All four are computed as one convolution, then interleaved.
    """
    # Window p of a row makes the pixels 2p - 1 and 2p; the first and the last fall outside the map.
    enlarged = _interleave(convolve(x, _phase_kernels(kernel)))
    return _add_bias(enlarged[:, 1:-1, 1:-1], bias)


def upsample_conv3x3_transposed(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '3 3 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n 2*h 2*w cout']:
    """`upsample_conv3x3` as a transposed 4×4 convolution of stride 2.

    Copying a pixel to 2×2 is itself a transposed convolution, with ones; the two kernels' product has four
    taps in a row, of which each pixel of the enlarged map meets two. As many multiplications as by phases,
    and nothing to interleave, but only compilers that skip the zeros between the pixels are fast at it.
    """
    enlarging = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]])
    wide = kernel.astype(accumulator(kernel))
    sums = jnp.einsum('ip,jq,pqco->ijco', enlarging, enlarging, wide, precision=lax.Precision.HIGHEST)
    y = lax.conv_general_dilated(
        x,
        sums.astype(kernel.dtype),
        (1, 1),
        [(2, 2)] * 2,
        lhs_dilation=(2, 2),
        dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    )
    return _add_bias(y, bias)


def upsample_conv5x5(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '5 5 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n 2*h 2*w cout']:
    """Nearest-neighbor enlargement by two, then a 5×5 convolution with zeros around the enlarged map.

    As `upsample_conv3x3`: five neighbors are copies of three pixels, so each phase is a 3×3 convolution of
    the small map, which takes 9/25 of the multiplications.
    """
    return _add_bias(_interleave(convolve(x, _phase_kernels(kernel))), bias)


def deconv4x4(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '4 4 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n 2*h 2*w cout']:
    """Transposed 4×4 convolution of stride 2 and padding 1 (`jax.lax.conv_transpose`, 'SAME'), plus a bias.

    A pixel of the enlarged map sees every second tap, so each of the four phases is a 2×2 convolution of
    the small map with taps of its own.
    """
    cin, cout = kernel.shape[2:]
    # Odd taps make the pixels 2p - 1, which are phase 0.
    phases = kernel.reshape(2, 2, 2, 2, cin, cout)[:, ::-1, :, ::-1]
    phases = phases.transpose(0, 2, 4, 1, 3, 5).reshape(2, 2, cin, 4 * cout)
    return _add_bias(_interleave(convolve(x, phases))[:, 1:-1, 1:-1], bias)


def _interleave(phases: Float[Array, 'n h w c4']) -> Float[Array, 'n 2*h 2*w c']:
    """The map whose every 2×2 pixels are the outermost part of the channels of one."""
    n, h, w, channels = phases.shape
    pixels = phases.reshape(n, h, w, 2, 2, channels // 4)
    return pixels.transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * h, 2 * w, channels // 4)


def _phase_kernels(kernel: Float[Array, 'k k cin cout']) -> Float[Array, 'small small cin 4*cout']:
    """Kernels on the small map of the four phases, which are the outermost part of the output channels."""
    wide = accumulator(kernel)
    cin, cout = kernel.shape[2:]
    taps = _TAPS_OF_PHASE[kernel.shape[0]]
    small = taps.shape[1]
    sums = np.einsum('pik,qjl->ijpqkl', taps, taps).reshape(4 * small**2, -1).astype(wide)
    # A product with zeros and ones: at less than the highest precision it would round the kernel. Not
    # an einsum, which swaps the factors and so has to transpose single elements instead of rows of `cout`.
    phases = lax.dot(sums, kernel.astype(wide).reshape(-1, cin * cout), precision=lax.Precision.HIGHEST)
    phases = phases.reshape(small**2, 4, cin, cout).transpose(0, 2, 1, 3)
    return phases.reshape(small, small, cin, 4 * cout).astype(kernel.dtype)


def _add_bias(y: Array, bias: Array) -> Array:
    """Add in at least float32, so that the gradient of the bias, a sum over every pixel, is one too."""
    wide = accumulator(y)
    return (y.astype(wide) + bias.astype(wide)).astype(y.dtype)
