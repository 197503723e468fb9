"""Where the pixels are while training: on the devices, or on the host, from where tf.data streams them.

Both give the same batches, since the sampler draws them on the host. On the devices, gathering the images of
a batch is part of the train step.
"""

from __future__ import annotations

import collections
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jaxtyping import Array, Int32, Shaped

from cosegnet_jax.data.batches import Batch, Sampler
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.stored_images import Stored
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.optional_import import optional_import

SHARE = 0.25  # largest share of a device's memory for pixels; the network needs the rest
_AHEAD = 2  # batches that are transferred while a step runs

OnDevice = tuple[Array, ...]


class Feed(NamedTuple):
    """The batches of a run: `batch(on_device, per_step)` makes one.

    `batch` is traced into the train step, so that gathering from the devices' memory takes no extra call.
    """

    on_device: OnDevice  # arrays that stay on the devices
    per_step: Iterator[Any]  # one for each step, divided over the mesh
    batch: Callable[[OnDevice, Any], Batch]


def choose(placement: str, examples: Examples, devices: int) -> str:
    """Choose where the pixels go: 'replicated', 'sharded' over the devices, or 'host'.

    Args:
        placement: 'auto', 'device' or 'host'. 'auto' is the device if it has room for the pixels and the host
            holds them decoded.
        examples: The pixels.
        devices: Devices of the mesh.

    Raises:
        UserError: For 'device', the devices have no room.
    """
    memory = (jax.local_devices()[0].memory_stats() or {}).get('bytes_limit')  # None on the CPU
    room, needed = SHARE * (memory or 0), examples.nbytes
    fits = needed <= room * devices
    if placement == 'host' or (placement == 'auto' and (not fits or isinstance(examples.images, Stored))):
        return 'host'
    if memory and not fits:
        raise UserError(
            f'config.data.placement=device: the photos take {needed / 2**20:.1f} MiB and may take '
            f'{room * devices / 2**20:.1f}, a quarter of the memory of the devices; use host or smaller'
        )
    return 'sharded' if memory and needed > room else 'replicated'


def feed(where: str, examples: Examples, sampler: Sampler, steps: range, mesh: Mesh) -> Feed:
    """Feed the batches of `steps`, in order.

    Args:
        where: From `choose`.
        examples: The images.
        sampler: Draws the groups of a step, which the devices share evenly.
        steps: Numbers of the steps.
        mesh: The devices.

    Raises:
        UserError: 'host' without TensorFlow.
    """
    rows = meshes.process_rows(sampler.shape[0], jax.process_index(), jax.process_count())
    if where != 'host':
        indices = (sampler.draw(step)[rows].astype(np.int32) for step in steps)
        return Feed(_put_examples(where, examples, mesh), ahead(indices, mesh), _gather)
    try:
        # Here, since training from the devices needs no TensorFlow.
        pipeline = optional_import('cosegnet_jax.data.pipeline', 'train')
    except UserError as error:
        raise UserError(f'config.data.placement=host: {error}, or use device') from error
    return Feed((), ahead(pipeline.stream(examples, sampler, steps, rows), mesh), _per_step)


def ahead(batches: Iterator[Any], mesh: Mesh) -> Iterator[Any]:
    """Transfer batches to the devices while those before them are in use."""
    placed = (jax.tree.map(lambda rows: meshes.put_batch(mesh, rows), batch) for batch in batches)
    waiting = collections.deque(itertools.islice(placed, _AHEAD))
    while waiting:
        yield waiting.popleft()
        waiting.extend(itertools.islice(placed, 1))


def _put_examples(where: str, examples: Examples, mesh: Mesh) -> OnDevice:
    place = meshes.replicated(mesh) if where == 'replicated' else meshes.batched(mesh)
    held = examples.decoded() if isinstance(examples.images, Stored) else examples
    arrays = (held.images, held.masks, held.labels.astype(np.int32))
    return tuple(_put(np.asarray(array), place) for array in arrays)


def _put(array: Shaped[np.ndarray, 'n *shape'], place: NamedSharding) -> Shaped[Array, 'rows *shape']:
    """Put an array on the devices; where it is divided, pad it with rows that no index reads."""
    spare = -len(array) % (1 if place.is_fully_replicated else place.num_devices)
    padded = np.pad(array, [(0, spare)] + [(0, 0)] * (array.ndim - 1)) if spare else array
    return jax.make_array_from_callback(padded.shape, place, lambda index: padded[index])


def _gather(on_device: OnDevice, indices: Int32[Array, 'groups members']) -> Batch:
    return Batch(*(array[indices] for array in on_device), numbers=indices)


def _per_step(on_device: OnDevice, batch: Batch) -> Batch:
    del on_device
    return batch
