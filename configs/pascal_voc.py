"""The paper's recipe on the PASCAL-VOC co-segmentation set (§4.1, §4.2).

`cosegnet prepare pascal_coseg` prepares the set (docs/data.md). Equation 2 sums over
pixels, which a learning rate of 1e-5 presumes; under the mean the same rate would move the masks some 50,000
times less.
"""

from ml_collections import ConfigDict

from cosegnet_jax.config import default


def get_config() -> ConfigDict:
    """SGD 1e-5 with momentum 0.9, decay 4e-4, three triplets of 224×224."""
    config = default()
    config.data.name = 'pascal_coseg'
    config.loss.mask_reduction = 'sum'
    config.loss.negatives = 'semi_hard'  # "we follow [Schroff et al., 2015] for generating samples"
    config.train.steps = 50_000
    config.train.stop_after_evals = 20
    return config
