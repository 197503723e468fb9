import json

import pytest
from finished_runs import document, evaluated, write
from from_arrays import evaluate

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.evaluation.protocol import Protocol
from cosegnet_jax.evaluation.results import result_name, to_json, write_json
from cosegnet_jax.reports.finished_runs import find, flags, of_run
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError


def test_what_an_evaluation_writes_is_found_and_read(examples, masks, decisions, tmp_path):
    config = configs.Config(seed=3, data=configs.Data(split=2), model=configs.Model(tap='cT6'))
    results = evaluate(examples, masks, decisions, Protocol(16))
    trained = networks.trained(config, {}, meshes.data_mesh(), step=300, dataset='spots')
    written = to_json(results, split='test', network=trained, seen=0, published=())
    file = tmp_path / 'deep' / 'run' / 'eval' / f'{result_name("blobs", "test", "cosegnet")}.json'
    write_json(file, written)
    write_json(file.with_name('results.json'), written)  # the same once more
    (run,) = find([tmp_path])
    assert (run.file, run.workdir) == (file, tmp_path / 'deep' / 'run')
    assert run.config == config
    assert (run.dataset, run.part, run.protocol) == ('blobs', 'test', 'cosegnet')
    assert (run.model, run.tap, run.trained_on, run.split, run.seed) == ('cosegnet', 'cT6', 'spots', 2, 3)


def test_runs_come_sorted_and_once_each(tmp_path):
    for name in ('b', 'a', 'c/deep'):
        write(tmp_path / name, document())
    write(tmp_path / 'a', document('msrc', 'all'))
    found = find([tmp_path / 'c', tmp_path, tmp_path / 'a'])
    names = [str(run.workdir.relative_to(tmp_path)) for run in found]
    assert names == ['a', 'a', 'b', 'c/deep']
    assert [run.dataset for run in found[:2]] == ['msrc', 'pascal_voc10']


def test_what_is_no_evaluated_run_is_said_in_a_line(tmp_path):
    with pytest.raises(UserError, match='nowhere: no such folder'):
        find([tmp_path / 'nowhere'])
    with pytest.raises(UserError, match='no evaluated run in it; evaluate one first'):
        find([tmp_path])
    file = write(tmp_path / 'run', document())
    for path in ('training', 'decision.auc', 'protocol.decided_by'):
        made = document()
        *sections, key = path.split('.')
        del (made[sections[0]] if sections else made)[key]
        file.write_text(json.dumps(made))
        with pytest.raises(UserError, match=f'{file}: holds no {path}.*; evaluate this run again'):
            find([tmp_path])
    file.write_text('{"half":')
    with pytest.raises(UserError, match=f'{file}: not valid JSON; evaluate this run again'):
        find([tmp_path])
    made = document()
    made['training']['config']['loss']['magic'] = 1
    file.write_text(json.dumps(made))
    with pytest.raises(UserError, match=f'{file}: trained by another version.*config.loss.magic'):
        find([tmp_path])


def test_a_recipe_is_all_that_networks_and_splits_have_in_common():
    first = evaluated()
    assert first.recipe == evaluated(model='base', split=4, protocol='docs').recipe
    assert first.recipe == evaluated(tap='f').recipe
    assert first.recipe != evaluated(steps=101).recipe
    keys = dict(first.recipe)
    assert keys['config.train.steps'] == 100
    assert 'config.data.split_file' in keys  # which splits there are, not which of them
    assert not {'config.data.split', 'config.seed', 'config.train.log_every_steps'} & keys.keys()


def test_flags_make_the_config_again():
    run = evaluated(steps=7)
    assert flags(run.recipe) == '--config.data.name=pascal_voc10 --config.train.steps=7'
    assert run.model_flags == '--config.model.name=cosegnet --config.model.tap=cT9'
    assert evaluated(model='deep_object_coseg').model_flags == '--config.model.name=deep_object_coseg'
    assert evaluated(model='deep_object_coseg').tap == ''
    assert "--config.data.name='my set'" in flags(evaluated(trained_on='my set').recipe)


def test_the_evaluations_of_one_run_are_its_own(tmp_path):
    mine = [write(tmp_path / 'mine', document(part=part)) for part in ('test', 'all')]
    write(tmp_path / 'mine' / 'inner', document())
    assert [one.file for one in of_run(tmp_path / 'mine')] == sorted(mine)
    assert of_run(tmp_path) == []
