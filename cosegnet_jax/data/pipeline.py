"""The stream of training batches, which tf.data prepares while the train step runs."""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Iterator

# Read at import. They silence messages about CPU features and an arithmetic library that is not used here.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '1')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')

import tensorflow as tf

from cosegnet_jax.data.batches import Batch, Sampler, gather
from cosegnet_jax.data.examples import Examples

tf.config.set_visible_devices([], 'GPU')  # the accelerator's memory belongs to JAX

_READY = 2  # batches prepared ahead


def stream(examples: Examples, sampler: Sampler, steps: range, rows: slice) -> Iterator[Batch]:
    """Stream the batches of `steps`, in order.

    A batch depends only on the sampler's seed and its step, wherever the stream starts. The arrays are
    read-only views of the pipeline's buffers.

    Args:
        examples: The images; pixels that are `Stored` are read and decoded in parallel, ahead of the steps.
        sampler: Draws the groups of a step.
        steps: Numbers of the steps.
        rows: The groups of a batch to read; every process draws all groups.
    """

    def load(step):
        return gather(examples, sampler.draw(int(step))[rows])

    numbers = tf.data.Dataset.range(steps.start, steps.stop)
    batches = numbers.map(
        lambda step: tf.numpy_function(
            load, [step], (tf.uint8, tf.uint8, tf.int32, tf.int32), stateful=False
        ),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    stream = _arrays(batches.prefetch(_READY))
    # A pipeline that runs Python code while the interpreter shuts down hangs, and a loop that ends by an
    # exception leaves its stream open.
    atexit.register(_close, weakref.ref(stream))
    return stream


def _arrays(batches: tf.data.Dataset) -> Iterator[Batch]:
    yield from map(Batch._make, batches.as_numpy_iterator())


def _close(stream: weakref.ref) -> None:
    if (alive := stream()) is not None:
        alive.close()
