"""A recipe of ours for the PASCAL-VOC co-segmentation set: the paper's network and losses, otherwise trained.

`python -m cosegnet_jax.data.prepare pascal_coseg` prepares the set (docs/data.md).
"""

from ml_collections import ConfigDict

from cosegnet_jax.config import default


def get_config() -> ConfigDict:
    """AdamW with warm-up and a cosine to zero, class-balanced batches, and more weight on the masks."""
    config = default()
    config.data.name = 'pascal_coseg'
    config.data.sampler = 'balanced'
    config.train.batch_classes = 4
    config.train.batch_images_per_class = 3
    config.loss.w1_positive = 25.0  # of a mean over pixels; at 0.33 the metric losses would drown the masks
    config.optimizer.name = 'adamw'
    config.optimizer.learning_rate = 1e-4
    config.optimizer.schedule = 'cosine'
    config.optimizer.warmup_steps = 50
    config.train.steps = 10_000
    return config
