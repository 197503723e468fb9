"""Runs the programs of the repository as a user does."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess:
    """`python ARGUMENTS` in the repository, without the devices that the tests make up."""
    env = {key: value for key, value in os.environ.items() if key != 'JAX_NUM_CPU_DEVICES'}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
