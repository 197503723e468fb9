"""The paper's recipe on the Internet set (§4.1, §4.3): that of pascal_voc.py with a decay of 5e-4.

`cosegnet prepare internet` prepares the set (docs/data.md). Table 2 and the Internet row of
Table 5 are runs of this config; Table 3 is a run of pascal_voc.py scored on this set (docs/reproducing.md).
"""

from ml_collections import ConfigDict

from cosegnet_jax.config import default


def get_config() -> ConfigDict:
    """SGD 1e-5 with momentum 0.9, decay 5e-4, three triplets of 224×224."""
    config = default()
    config.data.name = 'internet'
    config.loss.batch_reduction = 'sum'
    config.loss.negatives = 'semi_hard'  # "we follow [Schroff et al., 2015] for generating samples"
    config.optimizer.weight_decay = 5e-4
    config.train.steps = 50_000
    config.train.stop_after_evals = 20
    return config
