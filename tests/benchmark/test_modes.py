import json
import math

import pytest

from cosegnet_jax import config as configs
from cosegnet_jax.benchmark import modes

SMALL = configs.Config(
    image_size=32,
    model=configs.Model(width=1 / 64, weights='none'),
    train=configs.Train(batch_triplets=8),
    evaluation=configs.Evaluation(batch_images=8),
)


@pytest.mark.parametrize('mode', modes.MODES)
def test_every_mode_gives_a_line_of_finite_figures(mode):
    row = json.loads(json.dumps(modes.MODES[mode](SMALL, 2, 1)))
    assert (row['devices'], row['size']) == (8, 32)
    numbers = [value for value in row.values() if isinstance(value, float)]
    assert numbers
    assert all(math.isfinite(value) and value >= 0 for value in numbers)


def test_rates_follow_from_the_time_of_a_step():
    row = modes.train(SMALL, 1, 1)
    assert row['triplets_per_s'] == pytest.approx(8 / row['s_per_step'])
    assert row['images_per_s'] == pytest.approx(24 / row['s_per_step'])
    assert row['s_per_epoch'] == pytest.approx(554 / 8 * row['s_per_step'])
    assert row['share_of_ceiling'] == pytest.approx(row['needed_flops_per_s'] / row['ceiling_flops_per_s'])
    assert row['needed_flops_per_s'] < row['model_flops_per_s']


def test_evaluation_counts_unordered_pairs():
    row = modes.evaluate(SMALL, 1, 1)
    assert row['pairs_per_s'] == pytest.approx(8 * 7 / 2 / row['s_per_step'])
