"""CoSegNet-base (§4.5) under the recipe of pascal_voc.py: no metric and decision networks, null masks."""

from ml_collections import ConfigDict

from cosegnet_jax.config import default


def get_config() -> ConfigDict:
    """SGD 1e-5 with momentum 0.9, decay 4e-4, three triplets of 224×224."""
    config = default()
    config.data.name = 'pascal_coseg'
    config.model.name = 'base'
    config.loss.batch_reduction = 'sum'
    config.train.steps = 50_000
    config.train.stop_after_evals = 20
    return config
