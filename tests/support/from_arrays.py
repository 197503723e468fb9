"""Evaluation of masks and decisions that are held as arrays."""

import numpy as np

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation import counts, protocol
from cosegnet_jax.evaluation.per_image import PerImage


def noise(count):
    """Photos and masks of noise at 32×32, every other one of class a and b."""
    rng = np.random.default_rng(0)
    return Examples.in_memory(
        'noise',
        ('a', 'b'),
        tuple(map(str, range(count))),
        np.arange(count) % 2,
        rng.integers(0, 256, (count, 32, 32, 3), np.uint8),
        rng.integers(0, 2, (count, 32, 32), np.uint8),
    )


def counted(examples, masks):
    return counts.count(masks, examples.masks, examples.labels.shape[1])


def deciding(decisions):
    return lambda rows, columns: decisions[np.ix_(rows, columns)]


def predicted(examples, masks, decisions):
    embedding = np.zeros((len(examples), 64), np.float32)
    return PerImage(counted(examples, masks), embedding, deciding(decisions))


def score(examples, predictions, choices):
    return protocol.evaluate(examples, predictions, counts.count_baselines(examples, 7), choices)


def evaluate(examples, masks, decisions, choices):
    return score(examples, predicted(examples, masks, decisions), choices)
