import json
import shlex
import sys

import pytest
from absl.flags import FlagValues
from finished_runs import document, write
from ml_collections import config_flags

from cosegnet_jax import config as configs
from cosegnet_jax.reports import run_log
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import run_files
from cosegnet_jax.training.checkpoints import SCORE

CONFIG = configs.Config(
    seed=3,
    data=configs.Data(split=2, flip=False, prepared_dir='my sets'),
    model=configs.Model(name='base', weights='a file.npz'),
    train=configs.Train(steps=30),
    evaluation=configs.Evaluation(batch_images=4),
)


def begin(workdir, *scalars):
    workdir.mkdir(parents=True)
    run_files.write_config(workdir, CONFIG)
    run_files.path(workdir).write_text(''.join(json.dumps(record) + '\n' for record in scalars))


def validation(step, jaccard, auc):
    return {'step': step, SCORE: jaccard, 'validation_jaccard': jaccard, 'validation_auc': auc}


def listed(tmp_path):
    run_log.write([tmp_path], tmp_path / 'runs.jsonl')
    return [json.loads(line) for line in (tmp_path / 'runs.jsonl').read_text().splitlines()]


def test_a_finished_run_has_its_best_validation_and_all_its_scores(tmp_path):
    begin(
        tmp_path / 'base',
        {'step': 10, 'loss': 1.0},
        validation(10, 0.2, 0.6),
        validation(20, 0.4, 0.7),
        validation(30, 0.3, 0.8),
    )
    write(tmp_path / 'base', document(steps=20, jaccard=0.35))
    write(tmp_path / 'base', document('msrc', 'all', steps=20, jaccard=0.5))
    (run,) = listed(tmp_path)
    assert (run['steps'], run['of_steps']) == (30, 30)
    assert run['validation'] == {'step': 20, 'score': 0.4, 'jaccard': 0.4, 'auc': 0.7}
    scores = {(score['dataset'], score['part']): score for score in run['scores']}
    assert scores['pascal_voc10', 'test']['jaccard'] == 0.35
    assert scores['msrc', 'all']['jaccard'] == 0.5
    assert scores['msrc', 'all']['auc'] == 0.75


def test_the_command_makes_the_config_that_the_run_was_trained_with(tmp_path, monkeypatch):
    begin(tmp_path / 'base')
    (run,) = listed(tmp_path)
    program, mode, config, workdir, *flags = shlex.split(run['command'])
    assert (program, mode, config, workdir) == ('cosegnet', 'train', '--config=default', '--workdir=DIR')
    parsed = FlagValues()
    monkeypatch.setattr(sys, 'argv', ['train', *flags])  # where config_flags looks for keys
    values = config_flags.DEFINE_config_dict('config', configs.default(), flag_values=parsed)
    parsed(sys.argv)
    assert configs.resolve(values.value) == CONFIG


def test_runs_that_failed_or_were_stopped_are_listed_too(tmp_path):
    begin(tmp_path / 'at_once')
    begin(tmp_path / 'later', {'step': 10, 'loss': 1.0}, validation(20, None, None))
    at_once, later = listed(tmp_path)
    assert (at_once['steps'], at_once['validation'], at_once['scores']) == (0, None, [])
    assert (later['steps'], later['validation']) == (
        20,
        {'step': 20, 'score': None, 'jaccard': None, 'auc': None},
    )


def test_a_damaged_config_is_named(tmp_path):
    begin(tmp_path / 'base')
    (tmp_path / 'base' / 'config.json').write_text('{')
    with pytest.raises(UserError, match=r'config\.json: not the config of a run'):
        listed(tmp_path)


def test_a_config_of_another_version_is_named(tmp_path):
    begin(tmp_path / 'base')
    (tmp_path / 'base' / 'config.json').write_text('{"data": {"color_of_frames": 1}}')
    with pytest.raises(UserError, match=r'config\.json: of another version .*color_of_frames'):
        listed(tmp_path)


def test_a_config_that_is_of_no_run_is_passed_over(tmp_path):
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / 'config.json').write_text('[]')
    assert listed(tmp_path) == []
