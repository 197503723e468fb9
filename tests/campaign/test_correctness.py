import numpy as np
import pytest

from campaign import correctness
from cosegnet_jax import config as configs
from cosegnet_jax.errors import UserError


def test_distances_are_relative_and_no_number_is_infinitely_far():
    theirs = {'loss': np.array([3.0, 4.0]), 'masks': np.ones(4), 'nothing': np.zeros(2)}
    ours = {'loss': np.array([3.0, 4.5]), 'masks': np.array([1, 1, 1, np.nan]), 'nothing': np.array([0, 0.5])}
    assert correctness.distances(ours, theirs) == {'loss': 0.1, 'masks': np.inf, 'nothing': 0.5}


def test_numbers_of_another_config_are_refused():
    with pytest.raises(UserError, match='numbers of another config'):
        correctness.distances({'masks': np.ones((2, 2))}, {'masks': np.ones((3, 3))})


def test_numbers_follow_the_updates():
    config = configs.Config(
        image_size=32,
        data=configs.Data(images_per_class=10),
        model=configs.Model(width=0.02, weights='none'),
        optimizer=configs.Optimizer(learning_rate=1e-2),
        train=configs.Train(batch_triplets=8),
    )
    found = correctness.numbers(config)
    assert found['masks'].shape == (correctness.LOOKED_AT, 32, 32)
    assert found['loss'].shape == found['gradient_norm'].shape == (correctness.UPDATES,)
    assert len(set(found['loss_decision'].tolist())) == correctness.UPDATES
    assert 'active_triplets' not in found
