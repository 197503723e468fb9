import fcntl
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from campaign import execute, plan
from campaign.plan import Part
from cosegnet_jax.errors import UserError

ROOT = Path(__file__).parents[2]
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


def pack(folder, scale):
    folder.mkdir()
    (folder / plan.SCALE).write_text(scale)
    return folder


class Campaign:
    """`campaign.run` of one part, begun, in a process of its own.

    Args:
        folders: What the fixture made.
        tmp_path: For files of its own.
        then: What the part's command does when it is asked to end.
    """

    def __init__(self, folders, tmp_path, then='exit()'):
        pid, self._asked = tmp_path / 'pid', tmp_path / 'asked'
        slow = f"""
import os, pathlib, signal, time
signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(self._asked)!r}).touch(), {then}))
print('ten minutes to go', flush=True)
pathlib.Path({str(pid)!r}).write_text(f'{{os.getpid()}} ')
time.sleep(600)
"""
        code = f"""
import signal, sys
from pathlib import Path
from campaign import execute, plan, run
from cosegnet_jax import cli
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
plan.parts = lambda *_: [plan.Part('slow', ((sys.executable, '-c', {slow!r}),), 600)]
execute.HOME = Path({str(pack(tmp_path / 'packed', 'trial'))!r})
cli.start(run.main)
"""
        flags = [f'--{name}={folder}' for name, folder in zip(('workdir', 'out'), folders, strict=True)]
        self.process = subprocess.Popen(
            [sys.executable, '-c', code, *flags],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: pid.exists() and pid.read_text().endswith(' '))
        self.command = int(pid.read_text())

    def ask(self, number):
        """Until the command is asked in turn."""
        self.process.send_signal(number)
        wait_until(self._asked.exists)

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait(30)  # less than the grace of a command


def is_free(workdir):
    """Whether neither a campaign nor one of its commands is left."""
    with (workdir / 'lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def wait_until(happened):
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def records(out):
    return {row['part']: row for row in map(json.loads, (out / 'results.jsonl').read_text().splitlines())}


def test_lines_of_json_are_kept_and_other_output_is_logged(folders):
    parts = [part('speed', 'print("warming up"); print(\'{"rate": 2}\')', 'print(\'{"rate": 3}\')')]
    execute.campaign(parts, *folders, PLENTY)
    row = records(folders[1])['speed']
    assert (row['status'], row['rows'], row['error']) == ('done', [{'rate': 2}, {'rate': 3}], None)
    assert row['commands'][0].startswith(sys.executable)
    assert 'warming up' in (folders[1] / 'log.txt').read_text()


def test_of_a_progress_bar_its_end_is_logged(folders):
    execute.campaign([part('slow', r'print("10%\r90%\rall done")')], *folders, PLENTY)
    lines = (folders[1] / 'log.txt').read_text().splitlines()
    assert 'all done' in lines
    assert not [line for line in lines if line.endswith('0%')]


def test_lines_may_end_as_those_of_windows(folders):
    execute.campaign([part('speed', r'print("warming up\r\n{\"rate\": 2}\r")')], *folders, PLENTY)
    assert 'warming up' in (folders[1] / 'log.txt').read_text()
    assert records(folders[1])['speed']['rows'] == [{'rate': 2}]


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


def test_what_was_done_comes_home_though_nothing_is_left_to_do(folders):
    """As when a campaign was killed after its last part."""
    execute.campaign([part('good', 'pass')], *folders, PLENTY)
    (folders[1] / 'results.jsonl').unlink()
    execute.campaign([part('good', 'pass')], *folders, PLENTY)
    assert records(folders[1])['good']['status'] == 'done'


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


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_campaign_that_is_interrupted_ends_its_command_and_begins_the_part_again(folders, tmp_path, number):
    Campaign(folders, tmp_path).end(number)
    assert is_free(folders[0])
    assert 'ten minutes to go\n[status 0]' in (folders[1] / 'log.txt').read_text()
    execute.campaign([part('slow', 'print(\'{"rate": 1}\')')], *folders, PLENTY)
    assert records(folders[1])['slow']['rows'] == [{'rate': 1}]


def test_a_campaign_that_is_interrupted_twice_does_not_wait_for_its_command(folders, tmp_path):
    campaign = Campaign(folders, tmp_path, then='None')
    campaign.ask(signal.SIGINT)
    campaign.end(signal.SIGINT)
    assert is_free(folders[0])
    assert 'ten minutes to go\n[status -9]' in (folders[1] / 'log.txt').read_text()


def test_a_command_that_outlived_a_killed_campaign_is_not_run_beside_itself(folders, tmp_path):
    campaign = Campaign(folders, tmp_path)
    campaign.end(signal.SIGKILL)
    assert not is_free(folders[0])
    with pytest.raises(UserError, match='another campaign, or a command that it has left behind'):
        execute.campaign([part('slow', 'pass')], *folders, PLENTY)
    os.kill(campaign.command, signal.SIGKILL)
    wait_until(lambda: is_free(folders[0]))
    execute.campaign([part('slow', 'pass')], *folders, PLENTY)
    assert records(folders[1])['slow']['status'] == 'done'


def test_runs_come_home_in_one_file_without_their_checkpoints(folders):
    run = folders[0] / 'runs' / 'tuned-0'
    for name in ('config.json', 'metrics.jsonl', 'eval/results.json', 'checkpoints/step_4/array'):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text('x')
    execute.bring_home(*folders)
    with tarfile.open(folders[1] / 'runs.tar.gz') as archive:
        assert archive.getnames() == [
            f'runs/tuned-0/{name}' for name in ('config.json', 'eval/results.json', 'metrics.jsonl')
        ]


def test_the_scale_is_the_packed_one(folders, tmp_path):
    packed = pack(tmp_path / 'packed', 'trial')
    for _ in range(2):
        assert execute.packed_scale(packed, folders[0]) == plan.TRIAL


def test_a_campaign_of_another_scale_is_not_gone_on_with(folders, tmp_path):
    trial, full = pack(tmp_path / 'trial', 'trial'), pack(tmp_path / 'full', 'full')
    execute.packed_scale(trial, folders[0])
    message = f'--workdir={folders[0]}: its campaign is of scale trial, and this folder of scale full'
    with pytest.raises(UserError, match=message):
        execute.packed_scale(full, folders[0])
    assert execute.packed_scale(full, folders[1]) == plan.Scale()


def test_a_folder_that_is_not_packed_is_refused(folders):
    with pytest.raises(UserError, match=r'scale: missing; run this in the folder that campaign\.pack made'):
        execute.packed_scale(ROOT, folders[0])
