"""In what precision sums are made."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array


def accumulator(x: Array) -> jnp.dtype:
    """Type to sum in: that of `x`, and float32 at the least."""
    return jnp.promote_types(x.dtype, jnp.float32)
