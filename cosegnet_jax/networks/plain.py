"""The layers as papers draw them, for programs that know a convolution and little else.

Values are those of `ops.convolution` and `ops.pooling`, which choose among forms by the device, up to
rounding.
"""

from __future__ import annotations

from flax import nnx
from jax import lax
from jaxtyping import Array, Float

from cosegnet_jax.networks.encoders.vgg16 import VGG16
from cosegnet_jax.networks.layers import Convolution, DepthwiseConvolution
from cosegnet_jax.ops import convolution, depthwise, pooling, resizing, strided_convolution

_DIMENSIONS = ('NHWC', 'HWIO', 'NHWC')


def use(model: nnx.Module) -> None:
    """Put the plain forms into a network."""
    for _, module in nnx.iter_modules(model):
        if isinstance(module, Convolution):
            module.form = _FORMS[module.form]
        elif isinstance(module, DepthwiseConvolution):
            module.form = depthwise.plain
        elif isinstance(module, VGG16):
            module.pool = pooling.plain


def convolve(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, 'k k cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n h w cout']:
    """`convolution.conv3x3` and `conv7x7`."""
    return lax.conv_general_dilated(x, kernel, (1, 1), 'SAME', dimension_numbers=_DIMENSIONS) + bias


def enlarge_and_convolve(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, 'k k cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n 2*h 2*w cout']:
    """`convolution.upsample_conv3x3` and `upsample_conv5x5`."""
    return convolve(resizing.enlarge(x, 2), kernel, bias)


def deconvolve(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '4 4 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n 2*h 2*w cout']:
    """`convolution.deconv4x4`."""
    return lax.conv_transpose(x, kernel, (2, 2), 'SAME', dimension_numbers=_DIMENSIONS) + bias


_FORMS = {
    convolution.conv3x3: convolve,
    convolution.conv7x7: convolve,
    convolution.upsample_conv3x3: enlarge_and_convolve,
    convolution.upsample_conv5x5: enlarge_and_convolve,
    convolution.deconv4x4: deconvolve,
    convolution.pointwise: convolution.pointwise,
    strided_convolution.halving_conv3x3: strided_convolution.plain,
}
