import math
import statistics

import pytest
from finished_runs import evaluated

from cosegnet_jax.reports.tables.over_splits import over_splits
from cosegnet_jax.runtime.errors import UserError


def test_mean_deviation_and_list_of_each_figure():
    spread = over_splits([evaluated(split=k, jaccard=value) for k, value in enumerate([0.5, 0.6, 0.8])])
    for name in ('jaccard', 'per_class.cat.jaccard'):
        assert spread[name].values == (0.5, 0.6, 0.8)
        assert spread[name].mean == pytest.approx(1.9 / 3)
        assert spread[name].std == pytest.approx(statistics.stdev([0.5, 0.6, 0.8]))
    assert spread['decision.auc'].values == (0.75,) * 3
    assert spread['decision.auc'].std == pytest.approx(0)


def test_what_one_run_lacks_is_left_out_of_the_mean():
    spread = over_splits([evaluated(), evaluated(split=1, classes=(), precision=None)])
    for name in ('per_class.cat.jaccard', 'precision'):
        assert math.isnan(spread[name].values[1])
        assert spread[name].mean == spread[name].values[0]
        assert math.isnan(spread[name].std)


@pytest.mark.parametrize(
    ('other', 'message'),
    [
        ({'protocol': 'docs'}, "other/.*: its protocol.name is 'docs', but in first/.* it is 'cosegnet'"),
        ({'dataset': 'blobs'}, "its dataset is 'blobs'"),
        ({'part': 'all'}, "its split is 'all'"),
        ({'steps': 7}, 'its config.train.steps is 7'),
        ({'tap': 'f'}, "its network is '--config.model.name=cosegnet --config.model.tap=f'"),
        ({'decided_by': 'dice'}, "its protocol.decided_by is 'dice'"),
        ({'split': 0}, 'other/eval/results.json: the same split as first/eval/results.json'),
    ],
)
def test_runs_that_cannot_be_averaged_are_refused(other, message):
    with pytest.raises(UserError, match=message):
        over_splits([evaluated('first'), evaluated('other', **{'split': 1, **other})])
