"""Runs the programs of the repository as a user does."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(
    *arguments: str,
    cwd: Path = ROOT,
    timeout: int = 300,
    without: tuple[str, ...] = ('JAX_NUM_CPU_DEVICES',),
    **variables: str,
) -> subprocess.CompletedProcess:
    """`python ARGUMENTS` in a folder, `without` some variables that tests set, such as made-up devices."""
    env = {key: value for key, value in os.environ.items() if key not in without}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=env | variables,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
