"""One device or several, of one process or of two: they all train the same."""

import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest

from cosegnet_jax import config as configs
from cosegnet_jax.evaluation.scoring import validate
from cosegnet_jax.reports.run_evaluation import evaluate_run
from cosegnet_jax.runtime import distributed
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import checkpoints, loop, run_files

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
EXPERIMENT = 'configs/shapes.py'  # balanced batches: every image is compared with those of all processes
CHANGED = {
    'image_size': 32,
    'data.images_per_class': 10,
    'data.placement': 'device',  # no TensorFlow to import
    'model.width': 1 / 64,
    'optimizer.name': 'sgd',  # Adam divides by what rounding leaves of small gradients
    'optimizer.learning_rate': 1e-3,
    'optimizer.schedule': 'constant',
    'optimizer.warmup_steps': 0,
    'train.batch_classes': 4,
    'train.batch_images_per_class': 2,
    'train.steps': 4,
    'train.log_every_steps': 1,
    'train.eval_every_steps': 4,
    'train.save_every_steps': 2,
}
# Sums of float32 in another order; found were 2e-6 in the losses and 1e-7 in the parameters.
RELATIVE, ABSOLUTE = 1e-5, 1e-6

TRAIN_AND_EVALUATE = """
from cosegnet_jax.cli import command_line
from cosegnet_jax.cli import eval, train
def both():
    train.main()
    eval.main()
command_line.start(both)
"""


def config() -> configs.Config:
    raw = runpy.run_path(ROOT / EXPERIMENT)['get_config']()
    raw.update_from_flattened_dict(CHANGED)
    return configs.resolve(raw)


class Two:
    """The same command twice, as two processes of one job with `devices` each."""

    def __init__(self, program: list[str], workdir: Path, changed: dict, devices: int):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            address = f'127.0.0.1:{free.getsockname()[1]}'
        flags = [f'--config.{key}={value}' for key, value in changed.items()]
        environment = {
            **os.environ,
            'JAX_PLATFORMS': 'cpu',
            'JAX_NUM_CPU_DEVICES': str(devices),
            # On the CPU the first process alone would find what it needs, and tire of waiting for the other.
            'JAX_ENABLE_COMPILATION_CACHE': 'false',
            'JAX_COORDINATOR_ADDRESS': address,
            'JAX_NUM_PROCESSES': '2',
        }
        self._said = workdir.with_name(f'{workdir.name}-said')
        self._said.mkdir()
        self.processes = []
        for number in range(2):
            with self._file(number, 'out').open('w') as out, self._file(number, 'err').open('w') as err:
                process = subprocess.Popen(
                    [sys.executable, *program, f'--config={EXPERIMENT}', f'--workdir={workdir}', *flags],
                    env=environment | {'JAX_PROCESS_ID': str(number)},
                    cwd=ROOT,
                    stdout=out,
                    stderr=err,
                )
            self.processes.append(process)

    def wait_for(self, happened: Callable[[], bool], expected: int) -> None:
        """Until something has happened; where one process ends otherwise, the other would wait for it."""
        deadline = time.monotonic() + 300
        while not happened():
            codes = {process.poll() for process in self.processes}
            if codes - {None, expected} or time.monotonic() > deadline:
                for process in self.processes:
                    process.kill()
                    process.wait()
                pytest.fail(f'{codes}: {self.said()}')
            time.sleep(0.1)

    def end(self, expected: int) -> list[tuple[str, str]]:
        """What each has printed, once both have ended with the status `expected`."""
        self.wait_for(lambda: [p.poll() for p in self.processes] == [expected] * 2, expected)
        return self.said()

    def said(self) -> list[tuple[str, str]]:
        return [tuple(self._file(n, kind).read_text() for kind in ('out', 'err')) for n in range(2)]

    def _file(self, number: int, kind: str) -> Path:
        return self._said / f'{number}.{kind}'


def scalars(workdir: Path) -> list[dict]:
    return [
        {key: value for key, value in record.items() if key != 'images_per_s'}
        for record in run_files.read(workdir)
    ]


def params_at(workdir: Path, step: int):
    return jax.device_get(checkpoints.load_network(workdir, config(), meshes.data_mesh(), step).params)


def assert_same_params(ours: Path, theirs: Path, step: int) -> None:
    jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=RELATIVE, atol=ABSOLUTE),
        params_at(ours, step),
        params_at(theirs, step),
    )


def assert_same_scalars(ours: list[dict], theirs: list[dict]) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        assert mine == pytest.approx(other, rel=RELATIVE)


def forget(run: Path, step: int, copy: Path) -> Path:
    """A copy of a run without its checkpoint of `step`."""
    shutil.copytree(run, copy)
    shutil.rmtree(checkpoints.folder(copy) / f'step_{step}')
    return copy


def scored_the_same(*_) -> tuple[dict[str, float], np.ndarray]:
    return {checkpoints.SCORE: 0.5}, np.zeros((1, 1, 3), np.uint8)


def train_on(devices: int, workdir: Path, validate=validate) -> None:
    """Trains on some of the devices of this process."""
    with pytest.MonkeyPatch.context() as patch:
        mesh = meshes.data_mesh(jax.devices()[:devices])
        patch.setattr(meshes, 'data_mesh', lambda: mesh)
        loop.train(config(), workdir, validate)


@pytest.fixture(scope='module')
def by_one(tmp_path_factory):
    workdir = tmp_path_factory.mktemp('one')
    train_on(1, workdir)
    return workdir


@pytest.fixture(scope='module')
def by_two(tmp_path_factory):
    """Trained and evaluated by two processes; with what each of them printed."""
    workdir = tmp_path_factory.mktemp('two') / 'run'
    return workdir, Two(['-c', TRAIN_AND_EVALUATE], workdir, CHANGED, devices=1).end(0)


def test_two_processes_train_and_validate_as_one_device(by_one, by_two):
    workdir, _ = by_two
    assert_same_scalars(scalars(workdir), scalars(by_one))
    assert_same_params(workdir, by_one, 4)


def test_two_devices_of_one_process_train_and_validate_as_one(by_one, tmp_path):
    train_on(2, tmp_path)
    assert_same_scalars(scalars(tmp_path), scalars(by_one))
    assert_same_params(tmp_path, by_one, 4)


@pytest.mark.parametrize(('devices', 'processes_before'), [(4, 1), (8, 2)])
def test_devices_of_one_process_continue_a_checkpoint(by_one, by_two, tmp_path, devices, processes_before):
    before = {1: by_one, 2: by_two[0]}[processes_before]
    workdir = forget(before, 4, tmp_path / 'run')
    train_on(devices, workdir, scored_the_same)
    assert_same_scalars(scalars(workdir)[:4], scalars(by_one)[:4])
    assert_same_params(workdir, by_one, 4)


def test_the_first_process_speaks_for_both(by_two):
    (first, progress), (second, nothing) = by_two[1]
    assert 'on 2 CPU devices of 2 hosts' in first
    assert 'Open ' in first
    assert 'Training: 4 of 4 steps' in progress
    assert [line for line in second.splitlines() if not line.startswith('[Gloo]')] == []
    assert 'of 4' not in nothing


def test_two_processes_evaluate_as_one(by_two, tmp_path):
    workdir = tmp_path / 'copy'
    shutil.copytree(by_two[0], workdir)

    def results() -> dict:
        text = (workdir / 'eval' / 'results.json').read_text()
        return json.loads(text, parse_float=lambda number: round(float(number), 5))

    theirs = results()
    (workdir / 'eval' / 'results.json').unlink()
    evaluate_run(config(), workdir, None)
    assert results() == theirs


def test_two_processes_continue_a_checkpoint_of_one_and_stop_together_if_one_is_asked(by_one, tmp_path):
    workdir = forget(by_one, 4, tmp_path / 'run')
    endless = dict.fromkeys(('train.steps', 'train.eval_every_steps', 'train.save_every_steps'), 10**6)
    two = Two(['train.py'], workdir, CHANGED | endless, devices=2)
    two.wait_for(lambda: scalars(workdir)[-1]['step'] > 4 and 'loss' in scalars(workdir)[-1], 2)
    two.processes[1].send_signal(signal.SIGINT)
    said = two.end(2)

    assert_same_scalars(scalars(workdir)[:4], scalars(by_one)[:4])
    last = scalars(workdir)[-1]['step']
    for _, errors in said:
        assert f'error: stopped at step {last} and saved' in errors
    with checkpoints.manager(workdir) as manager:
        assert manager.latest_step() == last


def test_a_process_alone_waits_for_nobody():
    distributed.start()
    assert not jax.distributed.is_initialized()


GIVEN = {
    'JAX_COORDINATOR_ADDRESS': '127.0.0.1:1',  # where nothing listens
    'JAX_NUM_PROCESSES': '2',
    'JAX_PROCESS_ID': '1',
}


@pytest.mark.parametrize(
    ('changed', 'message'),
    [
        ({'JAX_PROCESS_ID': None}, 'JAX_PROCESS_ID is missing: JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES'),
        ({'JAX_COORDINATOR_ADDRESS': 'host'}, 'JAX_COORDINATOR_ADDRESS=host: must be HOST:PORT'),
        ({'JAX_PROCESS_ID': '2'}, 'JAX_NUM_PROCESSES=2, JAX_PROCESS_ID=2: must be N and one of 0 … N-1'),
        ({'JAX_NUM_PROCESSES': 'two'}, 'JAX_NUM_PROCESSES=two, JAX_PROCESS_ID=1: must be N'),
        ({}, r'127\.0\.0\.1:1: process 0 does not answer there \(Connection refused\)'),
    ],
)
def test_a_job_that_cannot_be_joined_is_one_line(monkeypatch, changed, message):
    monkeypatch.setattr(distributed, '_WAIT_S', -1)
    for name, value in (GIVEN | changed).items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=message) as caught:
        distributed.start()
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    ('environ', 'expected'),
    [
        ({}, False),
        ({'SLURM_NTASKS': '8'}, False),  # the batch script itself, outside of srun
        ({'SLURM_NTASKS': '8', 'SLURM_STEP_NODELIST': 'node[1-2]'}, True),
        ({'SLURM_NTASKS': '1', 'SLURM_STEP_NODELIST': 'node1'}, False),
        ({'TPU_WORKER_HOSTNAMES': 'host-0,host-1'}, True),
        ({'TPU_WORKER_HOSTNAMES': 'localhost'}, False),
        ({'TPU_WORKER_HOSTNAMES': 'localhost', 'MEGASCALE_NUM_SLICES': '2'}, True),
        ({'KUBERNETES_SERVICE_HOST': '10.0.0.1'}, False),
    ],
)
def test_jobs_are_told_from_processes_alone(environ, expected):
    assert distributed._is_job({'TPU_SKIP_MDS_QUERY': '1', **environ}) == expected
