"""What goes into the folder of a campaign, and how large it may be."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np

from campaign import plan
from cosegnet_jax.errors import UserError
from cosegnet_jax.weights import load_vgg16
from cosegnet_jax.weights.array_files import read_npz

CODE = ('cosegnet_jax', 'configs', 'campaign', 'train.py', 'eval.py', 'benchmark.py', 'sweep.py')
MOST_MIB = 64
HOME = Path(__file__).parents[1]


def copy_code(out: Path) -> None:
    """The package, its configs and its programs."""
    for name in CODE:
        source, target = HOME / name, out / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns('__pycache__'))
        else:
            shutil.copy(source, target)


def halve_weights(source: Path, target: Path) -> None:
    """Writes the convolutions of a VGG16 .npz in float16, which `load_vgg16` reads as it reads the original.

    Raises:
        UserError: No such file, or no VGG16.
    """
    if source.suffix != '.npz':
        raise UserError(f'--weights={source}: should end in .npz, with the names that load_vgg16 reads')
    load_vgg16(str(source))  # refuses what is no VGG16
    halves = {name: array.astype(np.float16) for name, array in read_npz(source, prefix='conv').items()}
    np.savez_compressed(target, **halves)


def check_size(out: Path, most_mib: float) -> float:
    """MiB of a folder.

    Raises:
        UserError: It is larger than allowed; names the largest files.
    """
    sizes = {file: file.stat().st_size / 2**20 for file in out.rglob('*') if file.is_file()}
    total = sum(sizes.values())
    if total > most_mib:
        largest = sorted(sizes, key=sizes.get, reverse=True)[:3]
        named = ', '.join(f'{file.relative_to(out)} ({sizes[file]:.1f})' for file in largest)
        raise UserError(
            f'{out}: {total:.1f} MiB, and {most_mib:g} may be; the largest are {named}: '
            f'leave something out, or pass --jpeg_quality=95'
        )
    return total


def add_reference(out: Path, scale: plan.Scale) -> None:
    """Computes, with what is packed, the numbers that another machine's are compared with.

    Raises:
        UserError: The command failed.
    """
    done = subprocess.run(plan.reference(scale), cwd=out, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ['it said nothing'])[-1]
        raise UserError(f'{plan.shown(plan.reference(scale))}: {said}')
