import json
import math
import statistics

import pytest
from from_arrays import evaluate

from cosegnet_jax.errors import UserError
from cosegnet_jax.evaluation.protocol import Protocol
from cosegnet_jax.evaluation.results import to_json, write_json
from cosegnet_jax.evaluation.splits import over_splits


@pytest.fixture
def run(examples, masks, decisions, tmp_path):
    """Makes an evaluated run with changes to what its results say."""

    def run(name, part='test', protocol='cosegnet', split=0, **changes):
        results = evaluate(examples, masks, decisions, Protocol(16, protocol, split=split))
        document = to_json(results, split=part, step=1, published=()) | changes
        write_json(tmp_path / name / 'eval' / 'results.json', document)
        return tmp_path / name

    return run


def test_mean_deviation_and_list_of_each_figure(run):
    runs = [run(f'run{k}', split=k, jaccard=value) for k, value in enumerate([0.5, 0.6, 0.8])]
    spread = over_splits(runs)
    assert spread['jaccard'].values == (0.5, 0.6, 0.8)
    assert spread['jaccard'].mean == pytest.approx(1.9 / 3)
    assert spread['jaccard'].std == pytest.approx(statistics.stdev([0.5, 0.6, 0.8]))
    document = json.loads((runs[0] / 'eval' / 'results.json').read_text())
    assert spread['decision.auc'].values == (document['decision']['auc'],) * 3
    assert spread['decision.auc'].std == pytest.approx(0)
    assert spread['per_class.owl.precision'].mean == pytest.approx(document['per_class']['owl']['precision'])


def test_what_one_run_lacks_is_left_out_of_the_mean(run):
    runs = [run('whole'), run('without', split=1, per_class={}, precision=None)]
    spread = over_splits(runs)
    for name in ('per_class.cat.jaccard', 'precision'):
        assert math.isnan(spread[name].values[1])
        assert spread[name].mean == spread[name].values[0]
        assert math.isnan(spread[name].std)


def test_runs_that_cannot_be_averaged_are_refused(run, tmp_path):
    first = run('first')
    with pytest.raises(UserError, match=r"its protocol.name is 'docs', but in .*first.* it is 'cosegnet'"):
        over_splits([first, run('docs', protocol='docs', split=1)])
    with pytest.raises(UserError, match="its dataset is 'other'"):
        over_splits([first, run('other', split=1, dataset='other')])
    with pytest.raises(UserError, match=r'same/eval/results.json: the same split as .*first'):
        over_splits([first, run('same')])
    with pytest.raises(UserError, match='no such file; evaluate this run first'):
        over_splits([first, tmp_path / 'nothing'])
    (first / 'eval' / 'results.json').write_text('{"half":')
    with pytest.raises(UserError, match='not valid JSON; evaluate this run again'):
        over_splits([first])


def test_models_of_several_splits_may_be_scored_on_one_whole_set(run):
    runs = [run(name, part='all') for name in ('one', 'two')]
    assert len(over_splits(runs)['jaccard'].values) == 2
