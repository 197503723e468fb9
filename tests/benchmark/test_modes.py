import dataclasses
import json
import math

import pytest

from cosegnet_jax import config as configs
from cosegnet_jax.benchmark import all_pairs, counting, modes, timing
from cosegnet_jax.networks.image_network import ImageNetwork
from cosegnet_jax.runtime.errors import UserError

pytestmark = pytest.mark.slow

SMALL = configs.Config(
    image_size=32,
    model=configs.Model(width=1 / 64, weights='none'),
    train=configs.Train(batch_triplets=8),
    evaluation=configs.Evaluation(batch_images=8),
)


@pytest.fixture(autouse=True)
def known_ceiling(monkeypatch):
    """Measuring it takes seconds; `test_timing` does."""
    monkeypatch.setattr(timing, 'matmul_flops_per_s', lambda dtype: 1e9)


def small(name: str) -> configs.Config:
    return dataclasses.replace(SMALL, model=dataclasses.replace(SMALL.model, name=name))


@pytest.mark.parametrize('mode', sorted(modes.MODES))
def test_every_mode_of_all_devices_gives_lines_of_finite_figures(monkeypatch, mode):
    monkeypatch.setattr(all_pairs, 'IMAGES', (4, 9))
    rows = [json.loads(json.dumps(row)) for row in modes.MODES[mode](SMALL, 2, 1)]
    assert len(rows) == (2 if mode == 'pairs' else 1)
    for row in rows:
        assert (row['devices'], row['model'], row['size']) == (8, 'cosegnet', 32)
        numbers = [value for value in row.values() if isinstance(value, float)]
        assert numbers
        assert all(math.isfinite(value) and value >= 0 for value in numbers)


def test_rates_follow_from_the_time_of_a_step():
    [row] = modes.train(SMALL, 1, 1)
    assert row['triplets_per_s'] == pytest.approx(8 / row['s_per_step'])
    assert row['images_per_s'] == pytest.approx(24 / row['s_per_step'])
    assert 's_per_epoch' not in row  # that of a set is measured by the mode 'epoch'
    assert row['model_flops_per_s'] == pytest.approx(row['model_flops'] / row['s_per_step'])
    assert row['share_of_ceiling'] == pytest.approx(row['needed_flops_per_s'] / (8 * 1e9))
    assert row['needed_flops'] < row['model_flops']
    macs = counting.count(SMALL.model, 32, as_drawn=True)  # of a triplet, three descriptions and two masks
    assert row['model_flops'] == 8 * (3 * (4 * macs.first + 6 * macs.image) + 2 * 6 * macs.mask)


@pytest.mark.parametrize(('name', 'masks'), [('cosegnet', 8), ('base', 8 * 7)])
def test_evaluation_counts_unordered_pairs_and_the_masks_made_of_them(name, masks):
    config = small(name)
    [row] = all_pairs.evaluate(config, 1, 1)
    assert row['pairs_per_s'] == pytest.approx(8 * 7 / 2 / row['s_per_step'])
    macs = counting.count(config.model, 32, as_drawn=True)
    assert row['model_flops'] == 8 * 2 * (macs.first + macs.image) + masks * 2 * macs.mask


def test_images_pass_the_network_once_and_anew_for_every_pair_only_to_compare(monkeypatch):
    """On a clock that counts images given to the network."""
    passed = []
    describe = ImageNetwork.describe

    def counted(self, batches, size):
        return describe(self, (passed.append(len(batch)) or batch for batch in batches), size)

    def images_passed(run, blocks, repeats):
        passed.clear()
        run()
        return sum(passed)

    monkeypatch.setattr(ImageNetwork, 'describe', counted)
    monkeypatch.setattr(timing, 'median_seconds', images_passed)
    monkeypatch.setattr(all_pairs, 'IMAGES', (10, 20))
    fewer, more = all_pairs.growth(SMALL, 1, 1)
    assert (fewer['pairs'], more['pairs']) == (45, 190)
    assert (fewer['describe_s'], more['describe_s']) == (10, 20)
    assert (fewer['decide_s'], more['decide_s']) == (0, 0)
    assert (fewer['every_pair_anew_s'], fewer['every_pair_anew_ratio']) == (90, 9)
    assert 'every_pair_anew_s' not in more


def test_networks_of_pairs_have_no_time_per_image_to_show():
    with pytest.raises(UserError, match='name=deep_object_coseg: --mode=pairs is about masks'):
        next(all_pairs.growth(small('deep_object_coseg'), 1, 1))
