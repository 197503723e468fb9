"""The stream of training batches, prepared by tf.data beside the train step."""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Iterator

# Both are read at import and only talk: of CPU features, and of a library for arithmetic that no batch does.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '1')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')

import tensorflow as tf

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.triplets import Batch, TripletSampler, gather
from cosegnet_jax.errors import UserError

tf.config.set_visible_devices([], 'GPU')  # the accelerator's memory belongs to JAX

_READY = 2  # batches waiting: one to hide the jitter of the other


def stream(
    examples: Examples,
    sampler: TripletSampler,
    batch: int,
    start_step: int,
    stop_step: int,
    flip: bool,
    shard: tuple[int, int] = (0, 1),
) -> Iterator[Batch]:
    """The batches of steps `start_step` to `stop_step - 1`, in order.

    Step s is the same batch wherever the stream starts: the triplets are a pure function of the
    sampler's seed and s. The arrays are read-only views of the pipeline's own buffers.

    Args:
        examples: What the sampler's indices point into; the pixels may be memory-mapped.
        sampler: Draws the triplets of a step.
        batch: Triplets of a step over all processes.
        start_step: First step.
        stop_step: One past the last step.
        flip: Mirror images (and their masks) at random.
        shard: Index of this process, and the number of processes. All draw the same global batch and
            each gathers its contiguous share of the rows.

    Raises:
        UserError: `batch` does not divide among the processes.
    """
    process, processes = shard
    if batch % processes:
        raise UserError(
            f'a batch of {batch} triplets does not divide among {processes} processes: '
            f'make it a multiple of {processes}'
        )
    share = batch // processes
    rows = slice(process * share, (process + 1) * share)

    def load(step):
        return gather(examples, sampler.draw(int(step), batch).rows(rows), flip)

    steps = tf.data.Dataset.range(start_step, stop_step)
    batches = steps.map(
        lambda step: tf.numpy_function(load, [step], (tf.uint8, tf.uint8), stateful=False),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    stream = _arrays(batches.prefetch(_READY))
    # A pipeline that still runs Python code when the interpreter is torn down waits for ever on it, and
    # whoever leaves a loop by an exception leaves its stream open.
    atexit.register(_close, weakref.ref(stream))
    return stream


def _arrays(batches: tf.data.Dataset) -> Iterator[Batch]:
    yield from map(Batch._make, batches.as_numpy_iterator())


def _close(stream: weakref.ref) -> None:
    if (alive := stream()) is not None:
        alive.close()
