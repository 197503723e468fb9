"""DOCS (Li, Hosseini Jafari and Rother, ACCV 2018) with its published training.

Theirs: 512×512, Adam 1e-5, decay 5e-4, ten pairs a step, 100,000 steps, and the sum of the mean
cross-entropies of the two masks. Ours: the set, mirroring, no decay of biases and no doubled rate for them,
and that half of the pairs share nothing and have null masks as truth, as CoSegNet-base has; all of theirs
share an object.
"""

from ml_collections import ConfigDict

from cosegnet_jax.config import default


def get_config() -> ConfigDict:
    """Five triplets of 512×512, that is ten pairs."""
    config = default()
    config.image_size = 512
    config.data.name = 'pascal_coseg'
    config.model.name = 'deep_object_coseg'
    config.loss.w1_positive = 1.0
    config.optimizer.name = 'adam'
    config.optimizer.weight_decay = 5e-4
    config.train.batch_triplets = 5
    config.train.steps = 100_000
    config.evaluation.batch_images = 8
    return config
