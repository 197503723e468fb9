"""A network as StableHLO, which JAX alone loads: `jax.export.deserialize`."""

from __future__ import annotations

from pathlib import Path

import jax
from jax import export

from cosegnet_jax.export.exported_functions import functions, merged
from cosegnet_jax.networks.trained_network import TrainedNetwork

PLATFORMS = ('cpu', 'cuda', 'tpu')


def write(folder: Path, network: TrainedNetwork) -> None:
    """Write describe.stablehlo and decide.stablehlo, for any number of photos and all of `PLATFORMS`.

    They have no gradients.
    """
    for function in functions(merged(network), network.config.scored_size):
        exported = export.export(jax.jit(function.call), platforms=PLATFORMS)(*function.inputs.values())
        (folder / f'{function.name}.stablehlo').write_bytes(exported.serialize())
