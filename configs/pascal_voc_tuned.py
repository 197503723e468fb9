"""A recipe of ours for the PASCAL-VOC co-segmentation set: the paper's network and losses, another optimizer.

`python -m cosegnet_jax.data.prepare pascal_coseg` prepares the set (docs/data.md).
"""

from ml_collections import ConfigDict

from cosegnet_jax.config import default


def get_config() -> ConfigDict:
    """AdamW with warm-up and a cosine to zero."""
    config = default()
    config.data.name = 'pascal_coseg'
    config.loss.mask_reduction = 'sum'  # as equation 2; under the mean the metric losses drown the masks
    config.optimizer.name = 'adamw'
    config.optimizer.learning_rate = 1e-4
    config.optimizer.schedule = 'cosine'
    config.optimizer.warmup_steps = 50
    config.train.steps = 10_000
    return config
