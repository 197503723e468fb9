"""Tables 5 and 6 and Figure 6 under one recipe, for `cosegnet sweep`: CoSegNet, CoSegNet-base and the taps.

The recipe is that of pascal_voc.py but for the sampler of negatives, since CoSegNet-base has no embeddings to
search with: random triplets for every network, so that runs differ in the network alone.
`--also=internet,msrc` scores each run on the other sets (docs/reproducing.md).
"""

from ml_collections import ConfigDict

from cosegnet_jax.config import default

VARIANTS = {
    'cosegnet': {},
    'base': {'model.name': 'base'},
    'f': {'model.tap': 'f'},
    'cT3': {'model.tap': 'cT3'},
    'cT6': {'model.tap': 'cT6'},
    'cT11': {'model.tap': 'cT11'},
}


def get_config() -> ConfigDict:
    """SGD 1e-5 with momentum 0.9, decay 4e-4, three triplets of 224×224, their negatives drawn at random."""
    config = default()
    config.data.name = 'pascal_coseg'
    config.loss.batch_reduction = 'sum'
    config.train.steps = 50_000
    return config
