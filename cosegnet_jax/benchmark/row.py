"""Parts of rows that several modes have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from cosegnet_jax.benchmark import counting, timing
from cosegnet_jax.config import Config

Row = dict[str, Any]  # flat, to be printed as a line of JSON


def about(config: Config, mesh: jax.sharding.Mesh) -> Row:
    """Say what was measured, and on which devices."""
    return {
        'device': mesh.devices.flat[0].device_kind,
        'devices': mesh.size,
        'jax': jax.__version__,
        'model': config.model.name,
        'size': config.image_size,
        'width': config.model.width,
        'dtype': config.model.dtype,
    }


def rates(
    config: Config, mesh: jax.sharding.Mesh, operations: Callable[[counting.Macs], int], seconds: float
) -> Row:
    """Compute FLOP rates: `model_` of the network as drawn, `share_of_ceiling` of the operations needed.

    Args:
        config: Names the network.
        mesh: The devices.
        operations: Counts the operations of `seconds`, given the MAC of the network.
        seconds: How long it took.
    """
    drawn, needed = (
        operations(counting.count(config.model, config.image_size, as_drawn=as_drawn))
        for as_drawn in (True, False)
    )
    memory = timing.peak_memory_gib()  # before the ceiling is measured, which takes some of its own
    ceiling = timing.matmul_flops_per_s(jnp.dtype(config.model.dtype)) * mesh.size
    return {
        'model_flops': drawn,
        'needed_flops': needed,
        'model_flops_per_s': drawn / seconds,
        'needed_flops_per_s': needed / seconds,
        'ceiling_flops_per_s': ceiling,
        'share_of_ceiling': needed / seconds / ceiling,
        'peak_memory_gib': memory,
    }
