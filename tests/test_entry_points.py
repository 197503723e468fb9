"""The commands of the README, as a user runs them, at small size."""

import json
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from programs import run

SMALL = [
    '--config.image_size=32',
    '--config.data.images_per_class=10',
    '--config.model.width=0.02',
    '--config.train.steps=4',
    '--config.optimizer.warmup_steps=0',
    '--config.train.eval_every_steps=2',
    '--config.train.log_every_steps=1',
]


@pytest.fixture(scope='module')
def workdir(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('run')
    done = run('train.py', '--config=configs/shapes.py', f'--workdir={folder}', *SMALL)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_eval_refuses_another_size_than_the_run_has(workdir):
    done = run('eval.py', f'--workdir={workdir}', '--config.image_size=96')
    check_refused(done, 'holds a network with config.image_size=')


@pytest.mark.slow
def test_eval_writes_what_the_contract_promises_and_tables_take_it_up(workdir):
    done = run('eval.py', f'--workdir={workdir}')  # the config is that of the run
    assert done.returncode == 0, done.stderr
    results = json.loads((workdir / 'eval' / 'results.json').read_text())
    assert {
        'dataset', 'split', 'step', 'images', 'pairs', 'precision', 'jaccard', 'precision_ungated',
        'jaccard_ungated', 'decision', 'per_class', 'protocol', 'published',
    } <= results.keys()  # fmt: skip
    assert (results['dataset'], results['split'], results['images']) == ('shapes', 'test', 12)
    assert results['step'] in (2, 4)
    assert {'accuracy', 'auc', 'threshold'} <= results['decision'].keys()
    assert f'{100 * results["precision"]:.1f}' in done.stdout
    assert f'{results["jaccard_ungated"]:.3f}' in done.stdout
    assert 'data:image' in (workdir / 'report.html').read_text()
    with Image.open(workdir / 'eval' / 'pairs.png') as picture:
        assert picture.height > 5 * 160  # three pairs that share an object and two that do not

    made = run('eval.py', '--tables', f'--runs={workdir}', f'--out={workdir}/tables')
    assert made.returncode == 0, made.stderr
    assert '1 of 1 evaluations are in the tables' in made.stdout  # a set that the paper does not have
    assert '| CoSegNet trained on shapes, gated |' in (workdir / 'tables' / 'tables.md').read_text()
    assert 'data:image/png' in (workdir / 'tables' / 'tables.html').read_text()


@pytest.mark.slow
def test_a_run_leaves_metrics_events_and_checkpoints(workdir):
    lines = [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
    assert [line['step'] for line in lines if 'loss' in line] == [1, 2, 3, 4]
    assert any((workdir / 'events').iterdir())
    assert (workdir / 'checkpoints' / 'step_4').is_dir()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--config=configs/shapes.py', '--config.model.wieghts=none'], 'did you mean config.model.weights'),
        (['--config=configs/shapes.py', '--config.train.steps=many'], 'many'),
        (['--config=configs/none.py'], 'configs/none.py: no such file'),
        (
            ['--config=configs/pascal_voc.py', '--config.data.prepared_dir=/nowhere'],
            'pascal_coseg: not prepared in /nowhere/pascal_coseg/1.0.0; run cosegnet prepare',
        ),
        (['--config=configs/pascal_voc.py', '--config.data.root=/nowhere'], '/nowhere'),
        (['--config=configs/shapes.py', 'stray'], 'stray: not a flag'),
        ([], '--config=NAME is missing'),
    ],
    ids=['key', 'value', 'file', 'not prepared', 'missing root', 'stray word', 'no config'],
)
def test_what_the_user_can_put_right_is_one_line_and_status_2(tmp_path, arguments, message):
    check_refused(run('train.py', f'--workdir={tmp_path}', *arguments), message)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--tables'], '--tables and --runs=DIR,DIR go together'),
        (['--runs=DIR', '--config=configs/shapes.py'], '--tables and --runs=DIR,DIR go together'),
        (['--tables', '--runs=/nowhere'], '/nowhere: no such folder'),
        (['--tables', '--runs=.', '--rnus=.'], '--rnus: no such flag; did you mean --runs?'),
        ([], '--config=NAME is missing'),
    ],
    ids=['no runs', 'no tables', 'missing folder', 'flag', 'neither'],
)
def test_what_tables_need_is_said_in_one_line(tmp_path, arguments, message):
    check_refused(run('eval.py', f'--out={tmp_path}', *arguments), message)


def check_refused(done: subprocess.CompletedProcess, message: str) -> None:
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('error: ')
    assert message in last
    assert 'Traceback' not in done.stderr
