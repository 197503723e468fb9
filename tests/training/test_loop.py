import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from cosegnet_jax import config as configs
from cosegnet_jax import data
from cosegnet_jax.evaluation.scoring import validate
from cosegnet_jax.reports.run_evaluation import evaluate_run
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import checkpoints, loop, run_files, run_identity

pytestmark = pytest.mark.slow

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
from cosegnet_jax.reports.run_evaluation import evaluate_run
from cosegnet_jax.evaluation.scoring import validate
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
    network = checkpoints.load_network(workdir, config, meshes.data_mesh(), step)
    return network.step, jax.device_get(network.params)


def losses_of(workdir: Path) -> dict[int, float]:
    return {record['step']: record['loss'] for record in run_files.read(workdir) if 'loss' in record}


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


def test_mined_and_varied_batches_go_on_the_same_from_the_devices(tmp_path):
    """The last checkpoint lost, a balanced run with crops and colors ends as if nothing had happened."""
    config = dataclasses.replace(
        SMALL,
        data=configs.Data(
            images_per_class=10, sampler='balanced', placement='device', scale_crop=0.3, color=0.2
        ),
        loss=configs.Loss(negatives='semi_hard'),
        train=dataclasses.replace(SMALL.train, batch_classes=4, batch_images_per_class=2),
    )
    loop.train(config, tmp_path / 'whole', validate)
    shutil.copytree(tmp_path / 'whole', tmp_path / 'cut')
    shutil.rmtree(checkpoints.folder(tmp_path / 'cut') / 'step_8')
    loop.train(config, tmp_path / 'cut', validate)
    whole, cut = (params_at(tmp_path / name, config, 8) for name in ('whole', 'cut'))
    jax.tree.map(np.testing.assert_array_equal, whole, cut)
    assert losses_of(tmp_path / 'cut') == losses_of(tmp_path / 'whole')


def test_the_config_of_a_run_is_beside_its_checkpoints(finished):
    assert run_files.read_config(finished) == SMALL


def test_the_last_step_and_the_best_are_saved(finished):
    with checkpoints.manager(finished) as saves:
        assert saves.latest_step() == 8
        scores = {r['step']: r[checkpoints.SCORE] for r in run_files.read(finished) if checkpoints.SCORE in r}
        assert list(scores) == [6, 8]
        assert scores[saves.best_step()] == max(scores.values())
        assert checkpoints.config_of(saves, 8) == SMALL


def test_a_finished_run_started_again_does_nothing(finished, capsys):
    before = run_files.path(finished).read_text()
    loop.train(SMALL, finished, validate)
    assert 'from step 8' in capsys.readouterr().out
    assert run_files.path(finished).read_text() == before


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


# Reads that are still under way when the first one fails report to an event loop that is gone.
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
def test_a_truncated_checkpoint_is_named(finished, tmp_path):
    shutil.copytree(finished, tmp_path / 'copy')
    for path in (checkpoints.folder(tmp_path / 'copy') / 'step_8' / 'params').rglob('d/*'):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=r'step_8: cannot be restored') as caught:
        params_at(tmp_path / 'copy', SMALL, 8)
    assert '\n' not in str(caught.value)
    time.sleep(1)


def scripted(*scores: float):
    """A validation that answers with these scores, one after another."""
    left = iter(scores)
    return lambda *_: ({checkpoints.SCORE: next(left)}, np.zeros((1, 1, 3), np.uint8))


def every_step(**train) -> configs.Config:
    return dataclasses.replace(SMALL, train=dataclasses.replace(SMALL.train, eval_every_steps=1, **train))


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_last_good_checkpoint(tmp_path):
    """The updates grow until they overflow; what was saved before is sound."""
    wild = configs.Optimizer(learning_rate=1e4, weight_decay=0.0)
    config = dataclasses.replace(every_step(), optimizer=wild)
    with pytest.raises(UserError, match=r'step \d gives .*(nan|inf).*; the last good checkpoint is') as stop:
        loop.train(config, tmp_path, scripted(*[0.5] * 8))
    assert 'new --workdir' in str(stop.value)
    with checkpoints.manager(tmp_path) as manager:
        last = manager.latest_step()
    assert (f'checkpoint is step {last} in' if last else 'checkpoint is none') in str(stop.value)
    if last:
        jax.tree.map(
            lambda p: np.testing.assert_array_equal(np.isfinite(p), True), params_at(tmp_path, config, last)
        )


def test_the_best_checkpoint_outlives_the_last_ones(tmp_path):
    loop.train(every_step(steps=4), tmp_path, scripted(0.3, 0.9, 0.2, 0.1))
    with checkpoints.manager(tmp_path) as manager:
        assert sorted(manager.all_steps()) == [2, 3, 4]
    assert params_at(tmp_path, SMALL)[0] == 2  # what evaluation reads


def test_training_stops_early_and_stays_stopped(tmp_path):
    config = every_step(stop_after_evals=2)
    loop.train(config, tmp_path, scripted(0.3, 0.5, 0.4, 0.1))
    loop.train(config, tmp_path, scripted())
    with checkpoints.manager(tmp_path) as manager:
        assert manager.latest_step() == 4


def test_an_undefined_score_is_never_the_best(tmp_path):
    loop.train(every_step(steps=3), tmp_path, scripted(0.3, float('nan'), 0.1))
    with checkpoints.manager(tmp_path) as manager:
        assert manager.best_step() == 1
    assert [record.get(checkpoints.SCORE, 0) for record in run_files.read(tmp_path)].count(None) == 1


def test_sigterm_saves_the_step_and_the_same_command_goes_on(tmp_path):
    def terminate(*_):
        signal.raise_signal(signal.SIGTERM)
        return {checkpoints.SCORE: 0.5}, np.zeros((1, 1, 3), np.uint8)

    config = dataclasses.replace(SMALL, train=dataclasses.replace(SMALL.train, steps=4, eval_every_steps=2))
    with pytest.raises(UserError, match='stopped at step 3 and saved; the same command continues'):
        loop.train(config, tmp_path, terminate)
    loop.train(config, tmp_path, scripted(0.5))
    with checkpoints.manager(tmp_path) as manager:
        assert manager.latest_step() == 4


def test_figures_of_another_split_are_refused(finished):
    other = dataclasses.replace(SMALL, data=dataclasses.replace(SMALL.data, split=1))
    with pytest.raises(UserError, match=r'holds a network with config\.data\.split=0, not 1'):
        evaluate_run(other, finished, None)


def test_a_run_does_not_go_on_with_other_images(finished, tmp_path, monkeypatch):
    shutil.copytree(finished, tmp_path / 'copy')
    fewer = data.load(SMALL).subset(np.arange(len(data.load(SMALL)) - 1))
    monkeypatch.setattr(data, 'load', lambda config: fewer)
    longer = dataclasses.replace(SMALL, train=dataclasses.replace(SMALL.train, steps=9))
    with pytest.raises(UserError, match=r'holds a run on \d+ images of shapes, now there are'):
        loop.train(longer, tmp_path / 'copy', validate)


def test_a_schedule_is_not_stretched(finished, tmp_path):
    longer = dataclasses.replace(SMALL, train=dataclasses.replace(SMALL.train, steps=9))
    run_identity.check_same_run(SMALL, longer, tmp_path)
    cosine = [dataclasses.replace(c, optimizer=configs.Optimizer(schedule='cosine')) for c in (SMALL, longer)]
    with pytest.raises(UserError, match=r'config\.train\.steps=8, not 9'):
        run_identity.check_same_run(*cosine, tmp_path)


def test_classes_too_small_to_validate_on_are_refused_before_training(tmp_path, monkeypatch):
    few = data.shapes.make(32, 5, 0)
    monkeypatch.setattr(data, 'load', lambda config: few)
    with pytest.raises(UserError, match='no image in the validation part'):
        loop.train(SMALL, tmp_path, validate)


def test_a_batch_that_the_devices_cannot_share_is_refused(tmp_path):
    train = dataclasses.replace(SMALL.train, batch_triplets=12)
    with pytest.raises(
        UserError, match=r'batch_triplets=12: must be a multiple of the 8 devices; use 8 or 16'
    ):
        loop.train(dataclasses.replace(SMALL, train=train), tmp_path, validate)
