import numpy as np
import pytest
from scoring_by_hand import groups_by_hand, mask_by_hand

from cosegnet_jax.evaluation import published_protocols


def test_threshold_of_a_map_is_its_mean_and_deviation_up_to_a_limit(probabilities):
    bright = np.where(np.arange(192).reshape(12, 16) < 150, 0.9, 0.1)  # mean + std is 1.06
    maps = np.concatenate([probabilities, [bright, np.zeros((12, 16))]]).astype(np.float32)
    found = published_protocols.threshold_of_map(maps, 0.5)
    np.testing.assert_array_equal(found.reshape(len(maps), -1), [mask_by_hand(p, 'ssnm') for p in maps])
    np.testing.assert_array_equal(found[-2], bright > 0.8)
    assert not np.array_equal(found, published_protocols.fixed_threshold(maps, 0.5))


@pytest.mark.parametrize('count', [0, 1, 4, 5, 9, 10, 23])
def test_groups_hold_five_or_a_few_more_and_leave_none_out(count):
    filed = np.zeros((30, 2), bool)
    filed[np.random.default_rng(0).permutation(30)[:count], 0] = True
    sets = published_protocols.groups_of_five(filed)
    assert (sets[~filed] == published_protocols.NO_SET).all()
    sizes = np.bincount(sets[filed])
    assert sizes.sum() == count
    assert all(5 <= size <= 9 for size in sizes) or count < 5
    expected = groups_by_hand(np.flatnonzero(filed[:, 0]).tolist())
    assert [np.flatnonzero(sets[:, 0] == k).tolist() for k in range(len(sizes))] == expected[: len(sizes)]
