"""The paper's recipe on the PASCAL-VOC co-segmentation set (§4.1, §4.2).

`cosegnet prepare pascal_coseg` prepares the set (docs/data.md).

Equation 2 is read as the mean over the pixels of an image, and summed over images and triplets as printed
(fidelity row 10). ImageNet's feature map is so large that a learning rate of 1e-5 moves the masks under the
mean; the printed sum over pixels is 50,176 times more and diverges within five steps.
"""

from ml_collections import ConfigDict

from cosegnet_jax.config import default


def get_config() -> ConfigDict:
    """SGD 1e-5 with momentum 0.9, decay 4e-4, three triplets of 224×224."""
    config = default()
    config.data.name = 'pascal_coseg'
    config.loss.batch_reduction = 'sum'
    config.loss.negatives = 'semi_hard'  # "we follow [Schroff et al., 2015] for generating samples"
    config.train.steps = 50_000
    config.train.stop_after_evals = 20
    return config
