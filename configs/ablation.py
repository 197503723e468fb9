"""The ablations of the paper (Tables 5 and 6) and its peers at reduced size, for cosegnet sweep.

Every variant has the same images, splits, steps and optimizer, and random weights to begin with, so that what
differs between two of them is the network. The size is chosen for two CPU cores: figures compare the variants
with each other, not with published ones.
"""

from ml_collections import ConfigDict

from cosegnet_jax.config import default

VARIANTS = {
    'cosegnet': {'model.name': 'cosegnet', 'model.tap': 'cT9'},
    'base': {'model.name': 'base'},
    'f': {'model.tap': 'f'},
    'cT3': {'model.tap': 'cT3'},
    'cT6': {'model.tap': 'cT6'},
    'cT11': {'model.tap': 'cT11'},
    'deep_object_coseg': {'model.name': 'deep_object_coseg'},
    'attention': {'model.name': 'attention'},
}


def get_config() -> ConfigDict:
    """An eighth of the width at 64×64, AdamW, and batches of triplets, from which every network can learn."""
    config = default()
    config.image_size = 64
    config.data.name = 'pascal_coseg'
    config.model.width = 0.125
    config.model.weights = 'none'
    config.loss.w1_positive = 25.0  # from random weights the metric losses would drown the masks
    config.optimizer.name = 'adamw'
    config.optimizer.learning_rate = 1e-3
    config.optimizer.schedule = 'cosine'
    config.optimizer.warmup_steps = 50
    config.train.batch_triplets = 4
    config.train.steps = 1000
    config.train.eval_every_steps = 1000  # the last step is what is scored: nothing is chosen
    config.train.log_every_steps = 20
    config.evaluation.batch_images = 32
    return config
