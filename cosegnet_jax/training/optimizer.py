"""The update rule (§4.1)."""

from __future__ import annotations

import jax
import optax

from cosegnet_jax.config import Config, Optimizer
from cosegnet_jax.training import part_rates


def is_kernel(params: optax.Params) -> optax.Params:
    """Mark the parameters that decay: kernels, not biases (fidelity row 16)."""
    return jax.tree.map(lambda p: p.ndim > 1, params)


def schedule(config: Optimizer, steps: int, start: int = 0) -> optax.Schedule:
    """Make the learning rate of each of `steps` steps: linear warm-up, then constant or half a cosine.

    A rule that starts at step `start` counts from there: it warms up again, then joins the schedule.
    """
    rate, warmup = config.learning_rate, config.warmup_steps
    if config.schedule == 'cosine':
        after = optax.cosine_decay_schedule(rate, max(steps - warmup, 1))
    else:
        after = optax.constant_schedule(rate)
    rise = optax.linear_schedule(0.0, 1.0, warmup)
    whole = optax.join_schedules([lambda count: rate * rise(count), after], [warmup]) if warmup else after
    if not start:
        return whole
    return lambda count: whole(count + start) * (rise(count) if warmup else 1.0)


def build(experiment: Config, steps: int, start: int = 0) -> optax.GradientTransformation:
    """Build the chain that turns gradients into updates: clipping, decay, rule, rates of the parts.

    sgd and adam add the decay to the gradient before momentum, as Caffe does; adamw keeps it out of the
    moments.

    Args:
        experiment: Names the rule, its rates and its schedule.
        steps: Last step of the schedule.
        start: Steps that were made with another rule.
    """
    config = experiment.optimizer
    rate = schedule(config, steps, start)
    decay = optax.add_decayed_weights(config.weight_decay, mask=is_kernel)
    match config.name:
        case 'sgd':
            rule = [decay, optax.sgd(rate, config.momentum)]
        case 'adam':
            rule = [decay, optax.adam(rate)]
        case 'adamw':
            rule = [optax.adamw(rate, weight_decay=config.weight_decay, mask=is_kernel)]
    clip = [optax.clip_by_global_norm(config.clip_norm)] if config.clip_norm else []
    return part_rates.scale(optax.chain(*clip, *rule), experiment)
