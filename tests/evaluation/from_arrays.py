"""Evaluation of masks and decisions that are held as arrays."""

import numpy as np

from cosegnet_jax.evaluation import counts, protocol


def counted(examples, masks):
    return counts.count(masks, examples.masks, examples.labels.shape[1])


def deciding(decisions):
    return lambda rows, columns: decisions[np.ix_(rows, columns)]


def evaluate(examples, masks, decisions, choices):
    baselines = counts.count_baselines(examples.masks, examples.labels.shape[1])
    return protocol.evaluate(examples, counted(examples, masks), baselines, deciding(decisions), choices)
