"""Runs parts of a campaign as subprocesses, remembers which are done, and collects what they made."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from campaign import plan
from campaign.plan import Command, Part
from cosegnet_jax import whole
from cosegnet_jax.errors import UserError

GRACE = 60  # seconds from asking a command to stop to ending it: a run saves a checkpoint first
KEPT = ('config.json', 'metrics.jsonl', 'report.html', 'eval/*.json')  # of each run; eval/*.npz has photos
HOME = Path(__file__).parents[1]
# Parts have the device for themselves, one after another.
_ENVIRONMENT = {'XLA_PYTHON_CLIENT_MEM_FRACTION': '0.9'}


def packed_scale(packed: Path, workdir: Path) -> plan.Scale:
    """What `campaign.pack` packed, which is noted in `workdir`, too: parts of all scales have the same names.

    Raises:
        UserError: `packed` is no packed folder, or the campaign in `workdir` was begun at another scale.
    """
    file, begun = packed / plan.SCALE, workdir / plan.SCALE
    if not file.exists():
        raise UserError(f'{file}: missing; run this in the folder that campaign.pack made')
    if not begun.exists():
        with whole.written(begun) as unfinished:
            shutil.copy(file, unfinished)
    found, expected = (path.read_text() for path in (begun, file))
    if found != expected:
        raise UserError(
            f'--workdir={workdir}: its campaign is of scale {found}, and this folder of scale {expected}; '
            f'name another workdir'
        )
    return plan.SCALES[found]


def campaign(parts: Sequence[Part], workdir: Path, out: Path, seconds: float) -> None:
    """Does those of `parts` that are not done yet and fit into the time, in order, each as subprocesses.

    Args:
        parts: From `plan.parts`.
        workdir: Folder of the campaign.
        out: Folder for what is to be brought home.
        seconds: Time for all of them.

    Raises:
        UserError: Another campaign is at work in `workdir`.
    """
    end = time.monotonic() + seconds - GRACE
    with _alone(workdir) as lock:
        bring_home(workdir, out)  # what a campaign that was killed has left
        done = {row['part'] for row in _records(workdir)}
        for part in parts:
            left = end - time.monotonic()
            if part.name in done or left < (GRACE if part.resumes else part.seconds):
                continue
            print(f'{part.name} …', flush=True)
            try:
                record = do(part, workdir, min(part.seconds, left), lock)
                print(f'{part.name}: {record["status"]}, {record["seconds"]:.0f} s', flush=True)
                if record['status'] != 'stopped':
                    with (workdir / 'results.jsonl').open('a') as file:
                        file.write(json.dumps(record) + '\n')
            finally:  # the log also when the campaign is interrupted
                bring_home(workdir, out)


def do(part: Part, workdir: Path, seconds: float, lock: int) -> dict[str, Any]:
    """Runs a part, and records what it said.

    Args:
        part: One of a campaign.
        workdir: Folder of the campaign.
        seconds: After which the part is stopped.
        lock: File descriptor that its commands inherit.

    Returns:
        'status', which is 'done', 'failed' or, of a part that can go on, 'stopped' by its time; 'rows', the
        lines of JSON that it printed; 'error', the last line of what failed; name, commands and seconds.
    """
    start, rows, status, error = time.monotonic(), [], 'done', None
    for command in part.commands:
        code, output, complaint = _run(command, workdir, seconds - (time.monotonic() - start), lock)
        rows += _rows(output)
        if code is None:
            status = 'stopped' if part.resumes else 'failed'
            error = f'stopped after {seconds:.0f} s'
        elif code:
            status, error = 'failed', (complaint.strip().splitlines() or [f'status {code}'])[-1]
        if status != 'done':
            break
    return {
        'part': part.name,
        'status': status,
        'error': error,
        'seconds': time.monotonic() - start,
        'commands': [plan.shown(command) for command in part.commands],
        'rows': rows,
    }


def bring_home(workdir: Path, out: Path) -> None:
    """Copies records, log, weights and, as one archive, what the runs wrote but for their checkpoints."""
    for path in (workdir / 'results.jsonl', workdir / 'log.txt', *(workdir / 'weights').glob('*')):
        if path.exists():
            shutil.copy(path, out)
    runs = workdir / 'runs'
    with tarfile.open(out / 'runs.tar.gz', 'w:gz') as archive:
        for path in sorted(file for pattern in KEPT for file in runs.glob(f'*/{pattern}')):
            archive.add(path, path.relative_to(workdir))


def _run(command: Command, workdir: Path, seconds: float, lock: int) -> tuple[int | None, str, str]:
    """Status, output and errors of a command; the status is None where the time ended it."""
    # Many parts need the same compiled step.
    env = {**_ENVIRONMENT, 'JAX_COMPILATION_CACHE_DIR': str(workdir / 'compiled'), **os.environ}
    with _file() as output, _file() as complaint:
        process = subprocess.Popen(
            command,
            cwd=HOME,
            env=env,
            stdout=output,
            stderr=complaint,
            start_new_session=True,  # so that its own children end with it
            pass_fds=(lock,),
        )
        with contextlib.ExitStack() as last:  # also when the campaign itself is asked to stop, once or twice
            last.callback(_log, command, process, workdir, output, complaint)
            last.callback(_end, process)
            code = None
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(max(seconds, 0))
        return code, _content(output), _content(complaint)


def _end(process: subprocess.Popen) -> None:
    """Ends a command and all that it started, which gives a run the time to save a checkpoint."""
    try:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _log(
    command: Command, process: subprocess.Popen, workdir: Path, output: IO[str], complaint: IO[str]
) -> None:
    said = _content(output) + _content(complaint)
    with (workdir / 'log.txt').open('a') as log:
        log.write(f'$ {plan.shown(command)}\n{said}[status {process.returncode}]\n')


def _file() -> IO[str]:
    # Not a pipe, which a command that does not end would keep open.
    return tempfile.TemporaryFile('w+', errors='replace', newline='\n')


def _content(file: IO[str]) -> str:
    """All of it but what progress bars have written over."""
    file.seek(0)
    return re.sub(r'.*\r(?!\n)', '', file.read())


@contextlib.contextmanager
def _alone(workdir: Path) -> Iterator[int]:
    """Holds a lock for commands to inherit, so that one that outlived its campaign is not run beside itself.

    Raises:
        UserError: Somebody has it.
    """
    with (workdir / 'lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f'--workdir={workdir}: another campaign, or a command that it has left behind, is at work '
                f'there; end it, or wait until it is done'
            ) from None
        yield lock.fileno()


def _rows(output: str) -> list[dict[str, Any]]:
    rows = []
    for line in output.splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            rows.append(json.loads(line))
    return [row for row in rows if isinstance(row, dict)]


def _records(workdir: Path) -> list[dict[str, Any]]:
    path = workdir / 'results.jsonl'
    return _rows(path.read_text()) if path.exists() else []
