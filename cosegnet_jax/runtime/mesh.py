"""All devices in a row: parameters on every one, batches divided between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np
from jax.experimental.multihost_utils import process_allgather
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Shaped

from cosegnet_jax.runtime.errors import UserError

_process: int | None = None  # that used the devices first


def check_process() -> None:
    """Refuse devices that another process has used before it forked into this one: JAX would hang.

    Raises:
        UserError: It has.
    """
    global _process
    _process = _process or os.getpid()
    if os.getpid() != _process:
        raise UserError(
            'JAX was used before this process was forked, and would hang in it; start processes with '
            'multiprocessing.get_context("spawn"), and load the network in each'
        )


def data_mesh(devices: Iterable[Any] | None = None) -> Mesh:
    """One-dimensional mesh named 'data' over `devices`, else over every device of every process.

    Process by process, so that what a process holds of a batch is one run of its rows.

    Raises:
        UserError: See `check_process`.
    """
    check_process()
    devices = sorted(
        jax.devices() if devices is None else devices, key=lambda device: (device.process_index, device.id)
    )
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


def replicate(x: Shaped[Array, '*shape']) -> Shaped[Array, '*shape']:
    """Inside a jitted function, the whole array on every device of the mesh in use, if one is.

    For what each row of a batch is compared with. Left to itself, the compiler may give each device some
    columns of the table instead of some rows, and then exchange the table itself.
    """
    if jax.sharding.get_abstract_mesh().empty:
        return x
    return jax.lax.with_sharding_constraint(x, PartitionSpec())


def put_batch(mesh: Mesh, rows: Shaped[np.ndarray, 'n *shape']) -> Shaped[Array, 'batch *shape']:
    """The global batch on the mesh, from the rows of it that this process holds."""
    return jax.make_array_from_process_local_data(batched(mesh), rows)


def put_padded(mesh: Mesh, rows: Shaped[np.ndarray, 'n *shape'], size: int) -> Shaped[Array, 'size *shape']:
    """Rows that every process holds, padded with zeros to `size` or to what the devices share evenly."""
    size = -(-size // mesh.size) * mesh.size
    padding = [(0, size - len(rows)), *[(0, 0)] * (rows.ndim - 1)]
    padded = np.pad(rows, padding)
    # Unlike device_put, it does not gather the rows from all processes only to see that they are the same.
    return jax.make_array_from_callback(padded.shape, batched(mesh), padded.__getitem__)


def fetch(tree: Any, count: int) -> Any:
    """The first `count` rows of each array, without those that padded it, in every process."""
    return jax.tree.map(lambda rows: rows[:count], process_allgather(tree, tiled=True))


def fetch_behind(running: Iterable[tuple[Any, int]]) -> Iterator[Any]:
    """What was computed, batch by batch, each fetched once the next one is under way.

    Args:
        running: arrays that the devices may still be at, and how many of their rows count.
    """
    pending = None
    for batch in running:
        if pending is not None:
            yield fetch(*pending)
        pending = batch
    if pending is not None:
        yield fetch(*pending)


def over_batches(
    compute: Callable[[Array], Any], batches: Iterable[Shaped[np.ndarray, '_ *shape']], size: int, mesh: Mesh
) -> Iterator[Any]:
    """What `compute` makes of each batch, padded to `size` rows so that one shape is compiled."""
    return fetch_behind((compute(put_padded(mesh, rows, size)), len(rows)) for rows in batches)


def check_divides(mesh: Mesh, batch: int, key: str) -> None:
    """Refuse a batch that the devices cannot share evenly.

    Raises:
        UserError: Naming `key` and the nearest sizes that work.
    """
    if batch % mesh.size:
        below = batch // mesh.size * mesh.size
        sizes = ' or '.join(str(size) for size in (below, below + mesh.size) if size)
        raise UserError(f'{key}={batch}: must be a multiple of the {mesh.size} devices; use {sizes}')
