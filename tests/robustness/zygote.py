"""Runs commands in forked processes that need not import anything: quick to start, and quick to kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PRELOADED = (
    'cosegnet_jax.inference.prediction',
    'cosegnet_jax.training.loop',
    'cosegnet_jax.export.model_folder',
)


class Done(NamedTuple):
    """What became of a command."""

    status: int  # negative: the signal that ended it
    stdout: str
    stderr: str
    seconds: float


class Zygote:
    """A process that forks one command after another; to be used in a `with` statement."""

    def __init__(self, folder: Path, modules: tuple[str, ...] = PRELOADED):
        self._folder = folder
        self._modules = modules

    def __enter__(self) -> Zygote:
        self._folder.mkdir(parents=True, exist_ok=True)
        env = {key: value for key, value in os.environ.items() if key != 'JAX_NUM_CPU_DEVICES'}
        env['PYTHONPATH'] = f'{ROOT}:{env.get("PYTHONPATH", "")}'
        self._process = subprocess.Popen(
            [sys.executable, '-W', 'ignore', __file__, *self._modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=env,
            text=True,
        )
        assert self._process.stdout.readline() == 'ready\n'
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, *argv: str, kill_after: float | None = None) -> Done:
        """`cosegnet ARGV`, killed after so many seconds if that is given."""
        files = [self._folder / name for name in ('stdout', 'stderr')]
        job = {'argv': list(argv), 'files': list(map(str, files))}
        began = time.monotonic()
        self._process.stdin.write(json.dumps(job) + '\n')
        self._process.stdin.flush()
        process = int(self._process.stdout.readline())
        if kill_after is not None:
            # The zygote reports the end only after this; a process that has ended stays until then.
            time.sleep(kill_after)
            os.kill(process, 9)
        self._process.stdin.write('wait\n')
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        texts = [file.read_text(errors='replace') for file in files]
        return Done(status, *texts, time.monotonic() - began)


def _main() -> None:
    import importlib

    for module in sys.argv[1:]:
        importlib.import_module(module)
    print('ready', flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        process = os.fork()
        if not process:
            _child(job)
        print(process, flush=True)
        sys.stdin.readline()
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _child(job: dict) -> None:
    import traceback

    for number, file in enumerate(job['files'], 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdin = open(os.devnull)  # noqa: SIM115
    status = 1
    try:
        sys.argv = ['cosegnet', *job['argv']]
        from cosegnet_jax.__main__ import main

        main()
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(bool(error.code))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Threads of libraries are told and waited for as at the end of any program.
        import threading

        threading._shutdown()
        sys.stderr.flush()
        os._exit(status)


if __name__ == '__main__':
    _main()
