"""The metric network (§3.2) and the decision network (§3.3), in float32."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from cosegnet_jax.networks.layers import Dense

EMBEDDING = 64  # numbers that describe an image to the decision network


class Metric(nnx.Module):
    """Tap to embedding: global average pooling (fu), FC 128 with ReLU, FC 64 without (fs)."""

    def __init__(self, channels: int, *, rngs: nnx.Rngs):
        self.fc1 = Dense(channels, 128, rngs=rngs)
        self.fc2 = Dense(128, EMBEDDING, rngs=rngs)

    def __call__(self, fu: Float[Array, 'n c']) -> Float[Array, 'n 64']:
        """Embed averages of the tap."""
        return self.fc2(jax.nn.relu(self.fc1(fu)))


class Decision(nnx.Module):
    """Two embeddings to one logit, positive where the images share an object: FC 32 with ReLU, FC 1.

    The logit depends on the order of the two, as in the paper.
    """

    ordered = True

    def __init__(self, *, rngs: nnx.Rngs):
        self.fc1 = Dense(2 * EMBEDDING, 32, rngs=rngs)
        self.fc2 = Dense(32, 1, rngs=rngs)

    def __call__(self, first: Float[Array, '*n 64'], second: Float[Array, '*n 64']) -> Float[Array, '*n']:
        """Compute the logit of each pair, in the order given."""
        pair = jnp.concatenate([first, second], axis=-1)
        return self.fc2(jax.nn.relu(self.fc1(pair)))[..., 0]

    def table(self, rows: Float[Array, 'r 64'], columns: Float[Array, 'n 64']) -> Float[Array, 'r n']:
        """Compute the logits of every (row, column) pair.

        FC 32 of a concatenation is a sum of two products, one for each half. These are computed once per
        image, and a pair costs 32 multiply-adds.
        """
        left, right = jnp.split(self.fc1.kernel[...], 2)
        u = jnp.dot(rows, left, precision=jax.lax.Precision.HIGHEST) + self.fc1.bias[...]
        v = jnp.dot(columns, right, precision=jax.lax.Precision.HIGHEST)
        return self.fc2(jax.nn.relu(u[:, None] + v[None]))[..., 0]


def global_average(x: Float[Array, 'n h w c']) -> Float[Array, 'n c']:
    """Average maps over their pixels (GAP), in float32."""
    return jnp.mean(x, axis=(1, 2), dtype=jnp.float32)


def unit(x: Float[Array, '*n c']) -> Float[Array, '*n c']:
    """Scale vectors to length one."""
    return x / jnp.sqrt(jnp.sum(jnp.square(x), -1, keepdims=True) + 1e-12)
