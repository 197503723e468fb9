"""All devices in a row: parameters on every one, batches divided between them."""

from __future__ import annotations

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Shaped

from cosegnet_jax.errors import UserError


def data_mesh() -> Mesh:
    """One-dimensional mesh named 'data' over every device of every process.

    Process by process, so that what a process holds of a batch is one run of its rows.
    """
    devices = sorted(jax.devices(), key=lambda device: (device.process_index, device.id))
    return Mesh(np.array(devices), ('data',), axis_types=(AxisType.Auto,))


def process_rows(count: int, process: int, processes: int) -> slice:
    """Which of `count` rows of a batch process number `process` holds."""
    share = count // processes
    return slice(process * share, (process + 1) * share)


def replicated(mesh: Mesh) -> NamedSharding:
    """The whole array on every device."""
    return NamedSharding(mesh, PartitionSpec())


def batched(mesh: Mesh) -> NamedSharding:
    """The first axis divided between the devices."""
    return NamedSharding(mesh, PartitionSpec('data'))


def put_batch(mesh: Mesh, rows: Shaped[np.ndarray, 'n *shape']) -> Shaped[Array, 'batch *shape']:
    """The global batch on the mesh, from the rows of it that this process holds."""
    return jax.make_array_from_process_local_data(batched(mesh), rows)


def check_divides(mesh: Mesh, batch: int, key: str) -> None:
    """Refuses a batch that the devices cannot share evenly.

    Raises:
        UserError: Naming `key` and the nearest sizes that work.
    """
    if batch % mesh.size:
        below = batch // mesh.size * mesh.size
        sizes = ' or '.join(str(size) for size in (below, below + mesh.size) if size)
        raise UserError(f'{key}={batch}: must be a multiple of the {mesh.size} devices; use {sizes}')
