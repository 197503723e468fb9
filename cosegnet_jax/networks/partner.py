"""Masks that know the partner: of several objects in a photo, the partner's decides which one is shared.

The paper's mask of a photo is the same beside every partner. Here each place of a photo is compared with the
partner's object: with its average, and with the places of it that are most alike (a prior as in Tian et al.,
PFENet, TPAMI 2020). A line in these likenesses and a small network say whether the place is shared.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from cosegnet_jax.networks.heads import unit
from cosegnet_jax.networks.layers import Dense
from cosegnet_jax.ops import resizing

Maps = tuple[Float[Array, 'n _ _ _'], ...]  # of an encoder, the finest first
PLACES = 32  # numbers that describe a place
_SHARPNESS = 12.0  # of the soft maxima, in 1/cosine
_EVERYWHERE = 1e-3  # of the weight of a place, so that an empty mask has one too


class Places(NamedTuple):
    """What partners are compared by; on the host or on devices."""

    vectors: Float[Any, 'n h w 32']  # of unit length
    objects: Float[Any, 'n h w']  # probability that a place is object

    def select(self, rows: Any) -> Places:
        """Those of some photos, by their numbers or as a slice."""
        return Places(self.vectors[rows], self.objects[rows])


class PartnerHead(nnx.Module):
    """Compares the places of a photo with those of its partner.

    Args:
        channels: Of the two maps that it reads.
        rngs: Source of the initial weights.
    """

    def __init__(self, channels: tuple[int, int], *, rngs: nnx.Rngs):
        fine, coarse = channels
        self.fine = Dense(fine, PLACES, rngs=rngs)
        self.coarse = Dense(coarse, PLACES, rngs=rngs)
        self.fc1 = Dense(5, 16, rngs=rngs)
        self.fc2 = Dense(16, 1, rngs=rngs)
        self.fc2.kernel[...] *= 0.01  # at first a line in the likenesses decides
        self.line = nnx.Param(jnp.array([0.0, 0.0, 5.0, 5.0, 0.0], jnp.float32))
        self.shift = nnx.Param(jnp.zeros((), jnp.float32))  # fitted to validation, not learned

    def places(self, maps: Maps) -> Float[Array, 'n h w 32']:
        """Describe each place by a unit vector.

        Args:
            maps: Two of the encoder's, the second half as fine as the first.
        """
        fine, coarse = map(_standardize, maps)
        return unit(self.fine(fine) + resizing.enlarge(self.coarse(coarse), 2))

    def __call__(self, first: Places, second: Places) -> Float[Array, 'n h w']:
        """Compute by how much the partner changes the logit of each place of the first photo of each pair.

        The odds of the object are multiplied by the probability that the partner shows the same.
        """
        n, h, w, _ = first.vectors.shape
        own, other = (x.vectors.reshape(n, -1, PLACES) for x in (first, second))
        inside, weights = (x.objects.reshape(n, -1) for x in (first, second))
        average = unit(jnp.einsum('nq,nqd->nd', weights + _EVERYWHERE, other))
        to_average = jnp.einsum('npd,nd->np', own, average)
        to_nearest = _soft_maximum(jnp.einsum('npd,nqd->npq', own, other), weights[:, None])[..., 0]
        # Which of the photo's own objects is most like the partner's?
        relative = [x - _soft_maximum(x, inside) for x in (to_average, to_nearest)]
        seen = jnp.stack([to_average, to_nearest, *relative, inside], -1)
        logits = seen @ self.line[...] + 10 * self.fc2(jax.nn.relu(self.fc1(2 * seen)))[..., 0]
        change = jax.lax.stop_gradient(self.shift[...]) - jax.nn.softplus(-4 - logits)
        return change.reshape(n, h, w)


def beside_partner(
    masks: Float[Array, 'n height width'], partner: Float[Array, 'n h w']
) -> Float[Array, 'n height width']:
    """Compute logits of masks beside a partner.

    Args:
        masks: Logits of the masks without a partner.
        partner: The change of `PartnerHead`, which is enlarged.
    """
    return masks + resizing.enlarge_bilinearly(partner, masks.shape[1] // partner.shape[1])


def objects_at(logits: Float[Array, 'n h w'], features: Float[Array, 'n h2 w2 c']) -> Float[Array, 'n h2 w2']:
    """Compute the probability of an object at each place of a map, without gradient."""
    factor = logits.shape[1] // features.shape[1]
    return jax.nn.sigmoid(resizing.average_pool(jax.lax.stop_gradient(logits), factor))


def _standardize(x: Float[Array, 'n h w c']) -> Float[Array, 'n h w c']:
    """Subtract the mean of a place's channels and divide by their standard deviation."""
    x = x.astype(jnp.float32)
    return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5)


def _soft_maximum(x: Float[Array, '*n p'], weights: Float[Array, '*m p']) -> Float[Array, '*n 1']:
    """Compute nearly the largest number; places of little weight count little."""
    weights = weights + _EVERYWHERE
    share = jnp.log(weights / weights.sum(-1, keepdims=True))
    return jax.nn.logsumexp(_SHARPNESS * x + share, -1, keepdims=True) / _SHARPNESS
