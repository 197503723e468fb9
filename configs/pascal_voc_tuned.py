"""A recipe of ours for the PASCAL-VOC co-segmentation set: the paper's network and losses, otherwise trained.

`cosegnet prepare pascal_coseg` prepares the set (docs/data.md).
"""

from ml_collections import ConfigDict

from cosegnet_jax.config import default


def get_config() -> ConfigDict:
    """AdamW with a cosine to zero, class-balanced batches, and a decoder that begins as the identity.

    Chosen on validation at 128×128 (two_cores.py); at 224×224 it has not been trained yet.
    """
    config = default()
    config.data.name = 'pascal_coseg'
    config.data.sampler = 'balanced'
    config.train.batch_classes = 4
    config.train.batch_images_per_class = 3
    config.data.scale_crop = 0.3
    config.data.color = 0.3
    config.model.feature_scale = 0.03
    config.model.decoder_start = 'identity'
    config.loss.w1_positive = 5.0  # of a mean over pixels; at 0.33 the metric losses would drown the masks
    config.optimizer.name = 'adamw'
    config.optimizer.learning_rate = 1e-4
    config.optimizer.schedule = 'cosine'
    config.optimizer.warmup_steps = 50
    config.optimizer.clip_norm = 1.0
    config.optimizer.heads_rate = 10.0
    config.train.steps = 10_000
    config.train.heads_steps = 3000
    return config
