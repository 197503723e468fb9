"""The network's layers as papers draw them, for programs that know a convolution and little else.

Values are those of `ops.convolution` and `ops.pooling`, which choose among forms by the device, up to
rounding.
"""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float

from cosegnet_jax.networks.encoders.vgg16 import VGG16
from cosegnet_jax.networks.layers import Convolution, DepthwiseConvolution
from cosegnet_jax.ops import convolution, depthwise, pooling, strided_convolution


def use(model: nnx.Module) -> None:
    """Puts them into CoSegNet."""
    for _, module in nnx.iter_modules(model):
        if isinstance(module, Convolution):
            module.form = _FORMS[module.form]
        elif isinstance(module, DepthwiseConvolution):
            module.form = depthwise.plain
        elif isinstance(module, VGG16):
            module.pool = pooling.plain


def conv3x3(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '3 3 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n h w cout']:
    """`convolution.conv3x3`."""
    dimensions = ('NHWC', 'HWIO', 'NHWC')
    return lax.conv_general_dilated(x, kernel, (1, 1), 'SAME', dimension_numbers=dimensions) + bias


def upsample_conv3x3(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '3 3 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n 2*h 2*w cout']:
    """`convolution.upsample_conv3x3`."""
    return conv3x3(enlarge(x), kernel, bias)


def enlarge(x: Float[Array, 'n h w c']) -> Float[Array, 'n 2*h 2*w c']:
    """Nearest-neighbor enlargement by two."""
    n, h, w, c = x.shape
    copies = jnp.broadcast_to(x[:, :, None, :, None], (n, h, 2, w, 2, c))
    return copies.reshape(n, 2 * h, 2 * w, c)


_FORMS = {
    convolution.conv3x3: conv3x3,
    convolution.upsample_conv3x3: upsample_conv3x3,
    convolution.pointwise: convolution.pointwise,
    strided_convolution.halving_conv3x3: strided_convolution.plain,
}
