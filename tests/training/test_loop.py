import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from cosegnet_jax import config as configs
from cosegnet_jax import mesh as meshes
from cosegnet_jax import records
from cosegnet_jax.errors import UserError
from cosegnet_jax.evaluation.evaluate import validate
from cosegnet_jax.training import checkpoints, loop

SMALL = configs.Config(
    image_size=32,
    data=configs.Data(images_per_class=10),
    model=configs.Model(width=1 / 64, weights='none'),
    optimizer=configs.Optimizer(name='adam', learning_rate=1e-3),
    train=configs.Train(batch_triplets=8, steps=8, log_every_steps=1, eval_every_steps=6, save_every_steps=3),
)

# Trains as train.py does, and dies without any warning once the metrics of a step are logged.
KILLED = """
import json, os, signal, sys, time
from pathlib import Path
from cosegnet_jax.config import resolve
from cosegnet_jax.evaluation.evaluate import validate
from cosegnet_jax.training import loop
from cosegnet_jax.training.log import Log

step = Log.step

def deadly(self, number, metrics, write):
    step(self, number, metrics, write)
    if number == 5:
        # Saving goes on in the background; the run dies once step 3 is there.
        while not any(Path(sys.argv[2], 'checkpoints').glob('step_3')):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)

Log.step = deadly
loop.train(resolve(json.loads(sys.argv[1])), Path(sys.argv[2]), validate)
"""


def params_at(workdir: Path, config: configs.Config, step: int | None = None):
    return jax.device_get(checkpoints.load_params(workdir, config, meshes.data_mesh(), step))


def losses_of(workdir: Path) -> dict[int, float]:
    return {record['step']: record['loss'] for record in records.read(workdir) if 'loss' in record}


@pytest.fixture(scope='module')
def finished(tmp_path_factory) -> Path:
    workdir = tmp_path_factory.mktemp('finished')
    loop.train(SMALL, workdir, validate)
    return workdir


def test_a_killed_run_goes_on_to_the_same_parameters_bit_for_bit(finished, tmp_path):
    process = subprocess.run(
        [sys.executable, '-c', KILLED, json.dumps(dataclasses.asdict(SMALL)), str(tmp_path)],
        env={**os.environ, 'JAX_NUM_CPU_DEVICES': str(jax.device_count()), 'JAX_PLATFORMS': 'cpu'},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert max(losses_of(tmp_path)) == 5  # later than the checkpoint of step 3: steps 4 and 5 are lost
    with checkpoints.manager(tmp_path) as saves:
        assert saves.latest_step() == 3

    loop.train(SMALL, tmp_path, validate)
    jax.tree.map(np.testing.assert_array_equal, params_at(finished, SMALL, 8), params_at(tmp_path, SMALL, 8))
    assert losses_of(tmp_path) == losses_of(finished)
    assert list(losses_of(tmp_path)) == list(range(1, 9))  # each step once, although 4 and 5 were done twice


def test_the_last_step_and_the_best_are_saved(finished):
    with checkpoints.manager(finished) as saves:
        assert saves.latest_step() == 8
        scores = {r['step']: r[checkpoints.SCORE] for r in records.read(finished) if checkpoints.SCORE in r}
        assert list(scores) == [6, 8]
        assert scores[saves.best_step()] == max(scores.values())
        assert checkpoints.config_of(saves, 8) == SMALL


def test_a_finished_run_started_again_does_nothing(finished, capsys):
    before = records.path(finished).read_text()
    loop.train(SMALL, finished, validate)
    assert 'from step 8' in capsys.readouterr().out
    assert records.path(finished).read_text() == before


def test_a_run_is_not_continued_under_another_config(finished):
    other = dataclasses.replace(SMALL, seed=1)
    with pytest.raises(UserError, match=r'holds a run with config\.seed=0, not 1'):
        loop.train(other, finished, validate)


def test_a_checkpoint_of_another_architecture_is_refused(finished):
    other = dataclasses.replace(SMALL, model=dataclasses.replace(SMALL.model, tap='cT6'))
    with pytest.raises(UserError, match=r'config\.model\.tap=cT9, not cT6: set that key to cT9'):
        params_at(finished, other)


def test_a_missing_checkpoint_names_those_that_exist(finished, tmp_path):
    with pytest.raises(UserError, match=r'no checkpoint of step 7; there are .*8'):
        params_at(finished, SMALL, 7)
    with pytest.raises(UserError, match='train first'):
        params_at(tmp_path / 'nothing', SMALL)


def test_a_truncated_checkpoint_is_named(finished, tmp_path):
    shutil.copytree(finished, tmp_path / 'copy')
    for path in (checkpoints.folder(tmp_path / 'copy') / 'step_8' / 'params').rglob('d/*'):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=r'step_8: cannot be restored') as caught:
        params_at(tmp_path / 'copy', SMALL, 8)
    assert '\n' not in str(caught.value)


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_last_good_checkpoint(tmp_path):
    wild = configs.Optimizer(learning_rate=1e30, weight_decay=0.0)
    config = dataclasses.replace(
        SMALL, optimizer=wild, train=dataclasses.replace(SMALL.train, eval_every_steps=9, save_every_steps=1)
    )
    with pytest.raises(
        UserError, match=r'the loss is .*(nan|inf).* at step 2; the last good checkpoint is step 1 in '
    ):
        loop.train(config, tmp_path, validate)


def test_training_stops_early_when_validation_no_longer_improves(tmp_path):
    scores = iter([0.3, 0.5, 0.4, 0.5, 0.9])

    def scripted(*_):
        return {checkpoints.SCORE: next(scores)}, np.zeros((1, 1, 3), np.uint8)

    train = dataclasses.replace(SMALL.train, eval_every_steps=1, stop_after_evals=2)
    loop.train(dataclasses.replace(SMALL, train=train), tmp_path, scripted)
    with checkpoints.manager(tmp_path) as saves:
        assert saves.latest_step() == 4
        assert saves.best_step() in (2, 4)


def test_a_batch_that_the_devices_cannot_share_is_refused(tmp_path):
    train = dataclasses.replace(SMALL.train, batch_triplets=12)
    with pytest.raises(
        UserError, match=r'batch_triplets=12: must be a multiple of the 8 devices; use 8 or 16'
    ):
        loop.train(dataclasses.replace(SMALL, train=train), tmp_path, validate)
