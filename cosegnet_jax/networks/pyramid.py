"""A small CoSegNet: a pyramid decoder with skips, and averages weighted by the mask.

As in the paper (Figure 2), each photo is described once by a mask and an embedding, and pairs are decided on
embeddings. The decoder is a pyramid of features of all strides (Lin et al., Feature Pyramid Networks, CVPR
2017), and the metric network reads averages over the object instead of the photo.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from cosegnet_jax.networks.encoders.interface import Encoder
from cosegnet_jax.networks.heads import EMBEDDING, Metric, global_average, unit
from cosegnet_jax.networks.layers import Conv3x3, Convolution, Dense, GroupNorm, scaled
from cosegnet_jax.networks.partner import PartnerHead, Places, objects_at
from cosegnet_jax.networks.siamese import Maps, SiameseNetwork
from cosegnet_jax.ops import convolution, resizing

CHANNELS, FINEST = 96, 48  # of the pyramid's levels, and of its finest one
_FAINT = nnx.initializers.normal(0.01)  # so that the first masks are even
_EVERYWHERE = 1e-3  # of the weight of an average, so that an empty mask has one too


class Description(NamedTuple):
    """All that is computed of an image alone."""

    logits: Float[Array, 'n h w']  # of the mask, at the finest stride
    fu: Float[Array, 'n c']  # averages over the mask, at the two coarsest strides
    embedding: Float[Array, 'n 64']  # fs, of unit length
    places: Places  # what partners are compared by, at the second coarsest stride


class PyramidCoSegNet(SiameseNetwork):
    """Encoder, pyramid decoder, metric network and decision network.

    The tap of §3.5 is the level after the coarsest. The layers before it learn from all pairs, those after it
    from masks of positive pairs only. So the weights of the averages, which come after it, pass no gradient.

    Args:
        encoder: Whose maps, each twice as fine as the next, make the pyramid.
        width: Multiplies the channels of encoder and decoder.
        dtype: As of `SiameseNetwork`.
        rngs: Source of the initial weights.
    """

    def __init__(self, encoder: Encoder, *, width: float, dtype: jnp.dtype, rngs: nnx.Rngs):
        super().__init__(encoder, width=width, dtype=dtype, rngs=rngs)
        self.strides = encoder.strides
        channels = [scaled(CHANNELS, width)] * len(encoder.strides)
        channels[0] = scaled(FINEST, width)
        self.context = Dense(encoder.widths(width)[-1], channels[-1], rngs=rngs)
        mask = Convolution(convolution.conv3x3, 3, channels[0], 1, rngs=rngs, start=_FAINT)
        mask.bias[...] -= 1  # less than half of a photo is object
        levels = {}
        for stride, cin, cout, below in zip(
            encoder.strides, encoder.widths(width), channels, [*channels[1:], channels[-1]], strict=True
        ):
            levels[f'stride{stride}'] = Level(cin, cout, below, rngs=rngs)
        self.decoder: Any = nnx.Dict(levels | {'mask': mask})
        self.metric = UnitMetric(encoder.widths(width)[-1] + channels[-2], rngs=rngs)
        self.decision = SymmetricDecision(rngs=rngs)
        fine, coarse = encoder.widths(width)[-2:]
        self.partner = PartnerHead((fine, coarse), rngs=rngs)

    def describe_maps(self, maps: Maps) -> Description:
        """Decode the maps to mask logits, and embed averages over the mask."""
        x, levels = self.context(global_average(maps[-1])).astype(maps[-1].dtype)[:, None, None], []
        for stride, features in zip(self.strides[::-1], maps[::-1], strict=True):
            x = self.decoder[f'stride{stride}'](features, x)
            levels.append(x)
        logits = self.decoder['mask'](x)[..., 0].astype(jnp.float32)
        fu = self._averages(logits, (maps[-1], levels[1]))
        places = Places(self.partner.places(maps[-2:]), objects_at(logits, maps[-2]))
        return Description(logits, fu, self.metric(fu), places)

    def _averages(self, logits: Float[Array, 'n h w'], maps: Maps) -> Float[Array, 'n c']:
        """Average maps, weighted by the probability of the mask."""
        averages = []
        for features in maps:
            weights = objects_at(logits, features) + _EVERYWHERE
            weights /= weights.sum((1, 2), keepdims=True)
            averages.append(jnp.einsum('nhw,nhwc->nc', weights, features.astype(jnp.float32)))
        return jnp.concatenate(averages, -1)

    def masks(self, description: Description) -> Float[Array, 'n height width']:
        """Enlarge the mask logits to the size of the photo."""
        return resizing.enlarge_bilinearly(description.logits, self.strides[0])

    def places(self, description: Description) -> Places:
        """What partners are compared by."""
        return description.places


def calibrate(params: Any, factor: float, shift: float, mask_shift: float) -> Any:
    """Parameters that turn the logit of a decision into factor · logit + shift, and move that of a pixel.

    Args:
        params: Of a `PyramidCoSegNet`.
        factor: Of a pair's logit.
        shift: Added to it.
        mask_shift: Added to a pixel's logit. Embeddings change a little, since masks weight their averages.
    """
    decision, mask = dict(params['decision']), dict(params['decoder']['mask'])
    decision['fc2'] = {name: factor * value for name, value in decision['fc2'].items()}
    decision['factor'] = factor * decision['factor']
    decision['bias'] = factor * decision['bias'] + shift
    mask['bias'] = mask['bias'] + mask_shift
    return params | {'decision': decision, 'decoder': params['decoder'] | {'mask': mask}}


class Level(nnx.Module):
    """A level of the pyramid: the encoder's map, plus the enlarged coarser level, refined.

    Under the coarsest level is the context of the whole photo, a map of one pixel.
    """

    def __init__(self, cin: int, cout: int, below: int, *, rngs: nnx.Rngs):
        self.lateral = Convolution(convolution.pointwise, 1, cin, cout, rngs=rngs)
        self.lateral_norm = GroupNorm(cout)
        if below != cout:
            self.narrow = Convolution(convolution.pointwise, 1, below, cout, rngs=rngs)
        self.narrows = below != cout
        self.refine = Conv3x3(cout, cout, rngs=rngs)
        self.refine_norm = GroupNorm(cout)

    def __call__(
        self, features: Float[Array, 'n h w cin'], below: Float[Array, 'n h2 w2 c']
    ) -> Float[Array, 'n h w cout']:
        """Compute the level, after ReLU."""
        x = self.lateral_norm(self.lateral(features))
        below = self.narrow(below) if self.narrows else below
        x += below if below.shape[1:3] == (1, 1) else resizing.enlarge(below, 2)
        return jax.nn.relu(self.refine_norm(self.refine(x)))


class UnitMetric(Metric):
    """The metric network (§3.2) on standardized averages, its embeddings of unit length."""

    def __init__(self, channels: int, *, rngs: nnx.Rngs):
        super().__init__(channels, rngs=rngs)
        self.norm = nnx.LayerNorm(channels, epsilon=1e-5, rngs=rngs)

    def __call__(self, fu: Float[Array, 'n c']) -> Float[Array, 'n 64']:
        """Embed averages."""
        embedding = super().__call__(self.norm(fu))
        return unit(embedding)


class SymmetricDecision(nnx.Module):
    """Two embeddings to one logit, the same in both orders: a line in their cosine, plus a small network.

    The network is FC 32 with ReLU and FC 1 as in §3.3, on products and absolute differences of the numbers.
    """

    ordered = False

    def __init__(self, *, rngs: nnx.Rngs):
        self.fc1 = Dense(2 * EMBEDDING, 32, rngs=rngs)
        self.fc2 = Dense(32, 1, rngs=rngs)
        self.factor = nnx.Param(jnp.asarray(10.0, jnp.float32))
        self.bias = nnx.Param(jnp.asarray(-5.0, jnp.float32))

    def __call__(self, first: Float[Array, '*n 64'], second: Float[Array, '*n 64']) -> Float[Array, '*n']:
        """Compute the logit of each pair."""
        products = first * second
        of_products = _precise_dot(products, self._kernels()[0])
        return self._logits(products.sum(-1), of_products, jnp.abs(first - second))

    def table(self, rows: Float[Array, 'r 64'], columns: Float[Array, 'n 64']) -> Float[Array, 'r n']:
        """Compute the logits of every (row, column) pair.

        FC 32 of products of two embeddings is a product of one with the kernel times the other: the products
        of all pairs are never made, which on the CPU would take longer than all else.
        """
        kernel = self._kernels()[0]
        kernels = (columns.T[:, :, None] * kernel[:, None]).reshape(EMBEDDING, -1)
        of_products = _precise_dot(rows, kernels).reshape(rows.shape[0], columns.shape[0], -1)
        differences = jnp.abs(rows[:, None] - columns[None])
        return self._logits(_precise_dot(rows, columns.T), of_products, differences)

    def _kernels(self) -> tuple[Array, Array]:
        """The kernels of FC 32 for products and for differences.

        Numbers of a unit vector are about 1/8; the factors bring products and differences near 1.
        """
        of_products, of_differences = jnp.split(self.fc1.kernel[...], 2)
        return 8 * of_products, 4 * of_differences

    def _logits(
        self,
        cosine: Float[Array, '*n'],
        of_products: Float[Array, '*n 32'],
        differences: Float[Array, '*n 64'],
    ) -> Float[Array, '*n']:
        hidden = of_products + _precise_dot(differences, self._kernels()[1]) + self.fc1.bias[...]
        answer = (jax.nn.relu(hidden) * self.fc2.kernel[..., 0]).sum(-1) + self.fc2.bias[0]
        return self.factor[...] * cosine + self.bias[...] + answer


def _precise_dot(x: Float[Array, '*n c'], y: Float[Array, 'c d']) -> Float[Array, '*n d']:
    """A product of two matrices, which XLA:CPU computes three times as fast as one of more dimensions."""
    flat = jnp.dot(x.reshape(-1, x.shape[-1]), y, precision=jax.lax.Precision.HIGHEST)
    return flat.reshape(*x.shape[:-1], y.shape[1])
