import json
import sys
import tarfile

import pytest

from campaign import execute
from campaign.plan import Part

PLENTY = 100_000.0  # seconds


@pytest.fixture
def folders(tmp_path):
    """Folder of the campaign, and folder of what is brought home."""
    for name in ('work', 'out'):
        (tmp_path / name).mkdir()
    return tmp_path / 'work', tmp_path / 'out'


def part(name, *programs, seconds=60, resumes=False):
    return Part(name, tuple((sys.executable, '-c', program) for program in programs), seconds, resumes)


def counting(path, program='pass'):
    """A program that leaves a letter behind whenever it runs."""
    return f'open({str(path)!r}, "a").write("x"); {program}'


def records(out):
    return {row['part']: row for row in map(json.loads, (out / 'results.jsonl').read_text().splitlines())}


def test_lines_of_json_are_kept_and_other_output_is_logged(folders):
    parts = [part('speed', 'print("warming up"); print(\'{"rate": 2}\')', 'print(\'{"rate": 3}\')')]
    execute.campaign(parts, *folders, PLENTY)
    row = records(folders[1])['speed']
    assert (row['status'], row['rows'], row['error']) == ('done', [{'rate': 2}, {'rate': 3}], None)
    assert row['commands'][0].startswith(sys.executable)
    assert 'warming up' in (folders[1] / 'log.txt').read_text()


def test_a_failing_part_is_recorded_and_the_others_go_on(folders, tmp_path):
    after = tmp_path / 'after'
    failing = part('bad', 'raise ValueError("out of memory")', counting(after))
    execute.campaign([failing, part('good', 'pass')], *folders, PLENTY)
    found = records(folders[1])
    assert (found['bad']['status'], found['bad']['error']) == ('failed', 'ValueError: out of memory')
    assert found['good']['status'] == 'done'
    assert not after.exists()  # what comes after a command that failed is not run


def test_what_is_done_or_has_failed_is_not_done_again(folders, tmp_path):
    runs = tmp_path / 'runs'
    parts = [part('good', counting(runs)), part('bad', counting(runs, 'exit(1)'))]
    for _ in range(2):
        execute.campaign(parts, *folders, PLENTY)
    assert runs.read_text() == 'xx'


def test_a_part_that_takes_too_long_is_ended_with_its_children_and_the_next_one_runs(folders):
    child = f'import subprocess; subprocess.run([{sys.executable!r}, "-c", "import time; time.sleep(60)"])'
    execute.campaign([part('slow', child, seconds=1), part('next', 'pass')], *folders, PLENTY)
    found = records(folders[1])
    assert found['slow']['status'] == 'failed'
    assert found['slow']['error'] == 'stopped after 1 s'
    assert found['slow']['seconds'] < 30
    assert found['next']['status'] == 'done'


def test_a_part_that_resumes_goes_on_at_the_next_call(folders, tmp_path):
    saved = tmp_path / 'saved'
    train = f"""
import pathlib, signal, sys, time
path = pathlib.Path({str(saved)!r})
signal.signal(signal.SIGTERM, lambda *_: sys.exit(path.write_text('step 1')))
time.sleep(0 if path.exists() else 60)
"""
    parts = [part('run', train, 'print(\'{"jaccard": 1}\')', seconds=1, resumes=True)]
    execute.campaign(parts, *folders, PLENTY)
    assert saved.read_text() == 'step 1'
    assert not (folders[1] / 'results.jsonl').exists()
    execute.campaign(parts, *folders, PLENTY)
    assert records(folders[1])['run']['rows'] == [{'jaccard': 1}]


def test_a_part_that_would_not_fit_is_left_for_the_next_call(folders):
    parts = [part('long', 'pass', seconds=50), part('short', 'pass', seconds=10)]
    execute.campaign(parts, *folders, execute.GRACE + 20)
    assert set(records(folders[1])) == {'short'}
    execute.campaign(parts, *folders, execute.GRACE + 60)
    assert set(records(folders[1])) == {'short', 'long'}


def test_runs_come_home_in_one_file_without_their_checkpoints(folders):
    run = folders[0] / 'runs' / 'tuned-0'
    for name in ('metrics.jsonl', 'eval/results.json', 'checkpoints/step_4/array'):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text('x')
    execute.bring_home(*folders)
    with tarfile.open(folders[1] / 'runs.tar.gz') as archive:
        assert archive.getnames() == ['runs/tuned-0/eval/results.json', 'runs/tuned-0/metrics.jsonl']
