"""A disk that is full at every write of a prediction, a training, an export and a preparation."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import endings
import inputs
import kills
import numpy as np
from PIL import Image
from zygote import PRELOADED, Zygote

SIZES = 24  # amounts of space that are left, for each command
MARGIN = 256 * 1024


def can_mount() -> bool:
    """Whether this process may make small disks."""
    return os.geteuid() == 0 and shutil.which('mount') is not None


@contextlib.contextmanager
def disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of so many bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(['umount', '--lazy', str(folder)], check=True)


def _is_whole(path: Path) -> bool:
    """Whether a file that is visible is complete, as far as its kind tells."""
    try:
        if path.suffix == '.png':
            with Image.open(path) as image:
                image.load()
        elif path.suffix == '.json':
            json.loads(path.read_text())
        elif path.suffix == '.html':
            return path.read_text().rstrip().endswith('</html>')
        elif path.suffix == '.xml':
            return path.read_text().rstrip().endswith('</annotations>')
        elif path.suffix == '.npz':
            with np.load(path) as arrays:
                [arrays[name] for name in arrays.files]
        elif path.suffix == '.safetensors':
            from safetensors import safe_open

            with safe_open(path, framework='np') as file:
                list(file.keys())
    except Exception:
        return False
    return True


def run(scale: float, folder: Path) -> dict:
    """Leaves more space each time; given space again, the same command must end as if it had been there."""
    if not can_mount():
        return {'skipped': 'only root may mount a small tmpfs'}
    commands = kills.make_inputs(folder / 'inputs')
    run_folder = folder / 'inputs' / 'run'
    commands['export'] = lambda out: ['export', f'--model={run_folder}', f'--out={out}']
    figures = {}
    for name in ('export', 'predict', 'prepare', 'train'):
        preloaded = ('cosegnet_jax.cli.prepare',) if name == 'prepare' else PRELOADED
        with Zygote(folder / f'zygote-{name}', preloaded) as zygote:
            figures[name] = _one(name, commands[name], max(3, round(SIZES * scale)), folder, zygote)
    keys = ('full', 'not_in_one_line', 'half_written', 'differences', 'failures')
    return {**{key: sum(one[key] for one in figures.values()) for key in keys}, 'commands': figures}


def _one(name: str, command, count: int, folder: Path, zygote: Zygote) -> dict:
    ending = endings.of_preparation if name == 'export' else kills.ENDINGS[name]
    full = 0
    spoken, half, differing, failures = [], [], [], []
    with disk(folder / f'disk-{name}', 2**30) as mounted:
        out = mounted / 'out'
        whole = zygote.run(*command(out))
        if whole.status:
            return {
                'full': 0,
                'not_in_one_line': 0,
                'half_written': 0,
                'differences': 0,
                'failures': 1,
                'stderr': [whole.stderr[-600:]],
            }
        used = shutil.disk_usage(mounted).used
        expected = ending(out)
        for fraction in np.linspace(0, 1, count, endpoint=False):
            shutil.rmtree(out)
            out.mkdir()
            _resize(mounted, max(8192, int(fraction * used)))
            done = zygote.run(*command(out))
            if done.status:
                full += 1
                if done.status != 2 or not inputs.is_one_line(done.stderr):
                    spoken.append(done.stderr[-600:])
                visible = [path for path in out.rglob('*') if path.is_file() and not _hidden(path, out)]
                half += [path.relative_to(out).as_posix() for path in visible if not _is_whole(path)]
            _resize(mounted, 2**30)
            if name == 'export' and done.status:
                half += [path.name for path in out.iterdir()]
            elif name == 'export':
                shutil.rmtree(out)
            done = zygote.run(*command(out))
            if done.status:
                failures.append(done.stderr[-600:])
            else:
                differing += endings.differences(ending(out), expected)
    return {
        'full': full,
        'not_in_one_line': len(spoken),
        'half_written': len(half),
        'differences': len(differing),
        'failures': len(failures),
        **({'stderr': [*spoken, *failures][:3]} if spoken or failures else {}),
        **({'half': half[:5]} if half else {}),
        **({'differing': sorted(set(differing))[:5]} if differing else {}),
    }


def _hidden(path: Path, out: Path) -> bool:
    """Names that say that a file is unfinished, as those of Orbax and TFDS do."""
    marks = ('orbax-checkpoint-tmp', 'incomplete', '.unfinished', '.tmp')
    return any(mark in part for part in path.relative_to(out).parts for mark in marks)


def _resize(mounted: Path, size: int) -> None:
    subprocess.run(['mount', '-o', f'remount,size={size}', str(mounted)], check=True)
