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

from cosegnet_jax.data.batches import Batch, Sampler, gather
from cosegnet_jax.data.examples import Examples

tf.config.set_visible_devices([], 'GPU')  # the accelerator's memory belongs to JAX

_READY = 2  # batches waiting: one to hide the jitter of the other


def stream(examples: Examples, sampler: Sampler, steps: range, rows: slice) -> Iterator[Batch]:
    """The batches of `steps`, in order.

    Step s is the same batch wherever the stream starts: what it holds is a pure function of the sampler's
    seed and s. The arrays are read-only views of the pipeline's own buffers.

    Args:
        examples: What the sampler's indices point into; the pixels may be memory-mapped or `Stored`, and
            are then read and decoded in parallel, ahead of the steps.
        sampler: Draws the groups of a step.
        steps: Numbers of the steps.
        rows: Which groups of a batch to gather; every process draws all of them.
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
    # A pipeline that still runs Python code when the interpreter is torn down waits for ever on it, and
    # whoever leaves a loop by an exception leaves its stream open.
    atexit.register(_close, weakref.ref(stream))
    return stream


def _arrays(batches: tf.data.Dataset) -> Iterator[Batch]:
    yield from map(Batch._make, batches.as_numpy_iterator())


def _close(stream: weakref.ref) -> None:
    if (alive := stream()) is not None:
        alive.close()
