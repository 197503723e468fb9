"""Where the pixels live while training: on the devices, or on the host with tf.data in between.

Either way step s is the same batch, since both gather what the sampler draws for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Bool, Int, UInt8

from cosegnet_jax import mesh as meshes
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.triplets import Batch, TripletSampler
from cosegnet_jax.errors import UserError

SHARE = 0.25  # of a device's memory that pixels may take; the rest is the network's


def choose(placement: str, nbytes: int) -> str:
    """What 'auto' stands for: 'device' where there is an accelerator that the pixels fit, else 'host'.

    Args:
        placement: 'auto', 'device' or 'host'.
        nbytes: Bytes of all pixels; every device holds them all.
    """
    if placement != 'auto':
        return placement
    memory = (jax.local_devices()[0].memory_stats() or {}).get('bytes_limit', 0)  # the CPU tells none
    return 'device' if nbytes <= SHARE * memory else 'host'


def stream(
    placement: str,
    examples: Examples,
    sampler: TripletSampler,
    batch: int,
    start_step: int,
    stop_step: int,
    flip: bool,
    mesh: Mesh,
) -> Iterator[Batch]:
    """The batches of steps `start_step` to `stop_step - 1` in order, divided over `mesh`.

    Args:
        placement: 'device' or 'host', from `choose`.
        examples: What the sampler's indices point into.
        sampler: Draws the triplets of a step.
        batch: Triplets of a step over all processes.
        start_step: First step.
        stop_step: One past the last step.
        flip: Mirror images (and their masks) at random.
        mesh: The devices.

    Raises:
        UserError: 'host' without TensorFlow.
    """
    if placement == 'device':
        return _from_devices(examples, sampler, batch, start_step, stop_step, flip, mesh)
    try:
        from cosegnet_jax.data import pipeline  # here, since training from the devices needs no TensorFlow
    except ImportError as error:
        raise UserError(
            f'config.data.placement=host needs TensorFlow ({error}); install it, or use device'
        ) from error
    process = jax.process_index(), jax.process_count()
    batches = pipeline.stream(examples, sampler, batch, start_step, stop_step, flip, shard=process)
    return (Batch(*(meshes.put_batch(mesh, rows) for rows in rows_of)) for rows_of in batches)


def _from_devices(
    examples: Examples,
    sampler: TripletSampler,
    batch: int,
    start_step: int,
    stop_step: int,
    flip: bool,
    mesh: Mesh,
) -> Iterator[Batch]:
    pixels = jax.device_put((examples.images, examples.masks), meshes.replicated(mesh))
    gather = jax.jit(_gather, out_shardings=meshes.batched(mesh))
    share = batch // jax.process_count()
    rows = slice(jax.process_index() * share, (jax.process_index() + 1) * share)
    for step in range(start_step, stop_step):
        triplets = sampler.draw(step, batch).rows(rows)
        flips = triplets.flips & flip
        put = partial(meshes.put_batch, mesh)
        yield gather(*pixels, put(triplets.indices.astype(np.int32)), put(flips))


def _gather(
    images: UInt8[Array, 'n h w 3'],
    masks: UInt8[Array, 'n h w'],
    indices: Int[Array, 'triplets 3'],
    flips: Bool[Array, 'triplets 3'],
) -> Batch:
    def mirrored(pixels: UInt8[Array, 'triplets 3 h w *c']) -> UInt8[Array, 'triplets 3 h w *c']:
        where = flips.reshape(flips.shape + (1,) * (pixels.ndim - 2))
        return jnp.where(where, jnp.flip(pixels, 3), pixels)

    return Batch(mirrored(images[indices]), mirrored(masks[indices]))
