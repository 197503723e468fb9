"""Semantic-aware attention (Chen, Huang and Nakayama, ACCV 2018), trained as by its authors' program.

Theirs: 512×512, Adam 1e-5, decay 5e-4, four pairs a step, and the sum of the mean cross-entropies of the two
masks. Ours: the set, the number of steps (theirs is one epoch of a larger set of pairs), mirroring, no decay
of biases, and that half of the pairs share nothing and have null masks as truth, as CoSegNet-base has; all
of theirs share an object.
"""

from ml_collections import ConfigDict

from cosegnet_jax.config import default


def get_config() -> ConfigDict:
    """Two triplets of 512×512, that is four pairs."""
    config = default()
    config.image_size = 512
    config.data.name = 'pascal_coseg'
    config.model.name = 'attention'
    config.loss.w1_positive = 1.0
    config.optimizer.name = 'adam'
    config.optimizer.weight_decay = 5e-4
    config.train.batch_triplets = 2
    config.train.steps = 50_000
    config.evaluation.batch_images = 8
    return config
