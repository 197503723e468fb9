"""The configuration of an experiment.

A file in `configs/` starts from `default()` and changes some keys. `resolve` turns the result into frozen
dataclasses, and refuses wrong keys, types and values.
"""

from cosegnet_jax.config.key_names import all_keys, check_key, nearest_key
from cosegnet_jax.config.keys import Config, Data, Evaluation, Loss, Model, Optimizer, Train, default
from cosegnet_jax.config.resolution import resolve, restore

__all__ = [
    'Config',
    'Data',
    'Evaluation',
    'Loss',
    'Model',
    'Optimizer',
    'Train',
    'all_keys',
    'check_key',
    'default',
    'nearest_key',
    'resolve',
    'restore',
]
