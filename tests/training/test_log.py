import json
from pathlib import Path

import jax
import numpy as np
import pytest
from tensorboardX import record_writer

from cosegnet_jax.training import run_files
from cosegnet_jax.training.log import Log

METRICS = {'loss': 2.0, 'loss_mask': 1.0}


def test_records_are_means_since_the_last_one_and_strict_json(tmp_path):
    with Log(tmp_path, 0, 4, batch_images=6) as log:
        log.step(1, {'loss': 1.0}, write=False)
        log.step(2, {'loss': 3.0}, write=True)
        log.step(3, {'loss': 5.0}, write=True)
        log.record(3, {'validation_auc': float('nan')})
    first, second, third = (
        json.loads(line, parse_constant=pytest.fail)
        for line in run_files.path(tmp_path).read_text().splitlines()
    )
    assert (first['step'], first['loss']) == (2, 2.0)
    assert first['images_per_s'] > 0
    assert (second['step'], second['loss']) == (3, 5.0)
    assert third == {'step': 3, 'validation_auc': None}


def test_going_on_drops_the_records_of_steps_that_are_done_again(tmp_path):
    with Log(tmp_path, 0, 9, batch_images=6) as log:
        for step in range(1, 6):
            log.step(step, METRICS, write=True)
    with run_files.path(tmp_path).open('a') as file:
        file.write('{"step": 6, "lo')  # cut off by a power failure
    assert [record['step'] for record in run_files.read(tmp_path)] == [1, 2, 3, 4, 5]
    with Log(tmp_path, 3, 9, batch_images=6) as log:
        log.step(4, METRICS, write=True)
    assert [record['step'] for record in run_files.read(tmp_path)] == [1, 2, 3, 4]


def test_tensorboard_gets_scalars_and_the_picture(tmp_path):
    with Log(tmp_path, 0, 1, batch_images=6) as log:
        log.validation(1, {'validation_jaccard': 0.25}, np.zeros((8, 8, 3), np.uint8))
    events = b''.join(path.read_bytes() for path in (tmp_path / 'events').iterdir())
    assert b'validation_jaccard' in events
    assert b'\x89PNG' in events


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='needs a disk that is always full')
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')  # of closing that file
def test_events_that_find_no_space_are_an_error_and_no_traceback_of_a_thread(tmp_path, capsys, monkeypatch):
    open_file = record_writer.open_file
    monkeypatch.setattr(record_writer, 'open_file', lambda path: open_file('/dev/full'))
    with pytest.raises(OSError, match='No space left'), Log(tmp_path, 0, 1, batch_images=6) as log:
        log.record(1, {'validation_auc': 0.5})
    assert 'Traceback' not in capsys.readouterr().err


def test_the_progress_bar_shows_the_losses(tmp_path, capsys):
    with Log(tmp_path, 0, 1, batch_images=6) as log:
        log.step(1, METRICS, write=True)
    shown = capsys.readouterr().err
    assert 'loss=2' in shown
    assert 'mask=1' in shown
    assert 'images/s' in shown


def test_the_other_processes_leave_the_writing_to_the_first(tmp_path, capsys, monkeypatch):
    with Log(tmp_path, 0, 4, batch_images=6) as log:
        log.step(1, METRICS, write=True)
    before = {path: path.read_bytes() for path in tmp_path.rglob('*') if path.is_file()}
    capsys.readouterr()
    monkeypatch.setattr(jax, 'process_index', lambda: 1)
    with Log(tmp_path, 0, 4, batch_images=6) as log:
        log.step(1, METRICS, write=True)
        log.validation(1, {'validation_jaccard': 0.25}, np.zeros((8, 8, 3), np.uint8))
    assert {path: path.read_bytes() for path in tmp_path.rglob('*') if path.is_file()} == before
    assert capsys.readouterr().err == ''
