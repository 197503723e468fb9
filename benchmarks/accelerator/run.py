"""Twelve minutes on a GPU: every figure that docs/performance.md lacks, the most valuable first.

python benchmarks/accelerator/run.py --carried=FOLDER --out=OUT [--parts=device,paper,…] [--tiny]

FOLDER is from pack.py. Each step is a process with a time limit. Its lines of JSON are added to
OUT/figures.jsonl as they come. A step that is finished there is not run again, so a second call goes on. It
needs jax, flax, optax, orbax-checkpoint, torch, scipy and Pillow, and no TensorFlow. --tiny is a rehearsal
on a CPU, at a size that says nothing of speed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECONDS = {'device': 70, 'paper': 190, 'recipe': 300, 'small': 110, 'kernels': 50}  # 12 minutes


class Step(NamedTuple):
    """One process."""

    name: str
    seconds: int  # after which it is ended
    command: list[str]


def main() -> None:
    """Runs the parts in their order."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--carried', type=Path, required=True)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--parts', default=','.join(SECONDS))
    parser.add_argument('--tiny', action='store_true')
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given.out.mkdir(parents=True, exist_ok=True)
    for part in given.parts.split(','):
        end = time.monotonic() + SECONDS[part] * (20 if given.tiny else 1)
        for step in STEPS[part](given.carried.resolve(), given.out.resolve(), given.tiny):
            run(step, part, given.carried.resolve(), given.out / 'figures.jsonl', end)
        if part == 'paper' and (best := best_batches(given.out / 'figures.jsonl')):
            step = beside_torch(given.carried.resolve(), *best, given.tiny)
            run(step, part, given.carried.resolve(), given.out / 'figures.jsonl', end)


def run(step: Step, part: str, carried: Path, figures: Path, end: float) -> None:
    """Runs a step, unless it has run; what it prints and how it ended is added to the figures."""
    if any(row.get('step') == step.name and 'ended' in row for row in rows(figures)):
        return
    seconds = min(step.seconds * (20 if '--tiny' in sys.argv else 1), end - time.monotonic())
    start, ended = time.monotonic(), 'no time left'
    if seconds > 5:
        with subprocess.Popen(
            step.command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment(carried),
            start_new_session=True,
        ) as process:  # fmt: skip
            signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
            signal.alarm(int(seconds))
            assert process.stdout
            try:
                for line in process.stdout:
                    if line.startswith('{'):
                        add(figures, {'part': part, 'step': step.name, **json.loads(line)})
                ended = f'status {process.wait()}'
            finally:
                signal.alarm(0)
                if process.poll() is None:  # this program was told to end
                    os.killpg(process.pid, signal.SIGKILL)
    add(figures, {'part': part, 'step': step.name, 'ended': ended, 's': time.monotonic() - start})


def rows(figures: Path) -> list[dict[str, Any]]:
    """What is measured so far."""
    return [json.loads(line) for line in figures.read_text().splitlines()] if figures.is_file() else []


def add(figures: Path, row: dict[str, Any]) -> None:
    """Adds a line at once, so that nothing is lost when the machine goes."""
    print(json.dumps(row), flush=True)
    with figures.open('a') as file:
        file.write(json.dumps(row) + '\n')


def environment(carried: Path) -> dict[str, str]:
    """That of a step: this tree and what was carried are importable, and memory is taken as it is needed."""
    return {
        **os.environ,
        'PYTHONPATH': f'{ROOT}:{carried / "site"}',
        'PYTHONUNBUFFERED': '1',
        'XLA_PYTHON_CLIENT_PREALLOCATE': 'false',
        'JAX_COMPILATION_CACHE_DIR': str(carried / 'compiled'),
    }


def script(name: str, *arguments: object) -> list[str]:
    """A command that runs a script of this folder."""
    return [sys.executable, str(HERE / name), *map(str, arguments)]


def benchmark(config: str, mode: str, tiny: bool, *arguments: str) -> list[str]:
    """A command of `cosegnet benchmark`."""
    command = [sys.executable, '-m', 'cosegnet_jax', 'benchmark', f'--config={config}', f'--mode={mode}']
    return [*command, '--repeats=1' if tiny else '--repeats=5', *arguments, *(narrow(config) if tiny else [])]


def narrow(config: str) -> list[str]:
    """Arguments for a network that a CPU compiles and runs in seconds."""
    keys = ['model.width=0.0625', 'model.weights=none', 'image_size=64']
    keys += ['optimizer.frozen_blocks=0', 'train.views=0'] * (config == 'pyramid')
    return ['--blocks=1', *(f'--config.{key}' for key in keys)]


def device(carried: Path, out: Path, tiny: bool) -> list[Step]:
    """Versions, ceilings, and whether masks and embeddings are those of a CPU."""
    return [Step('device', 70, script('device.py', carried, *['--tiny'] * tiny))]


def paper(carried: Path, out: Path, tiny: bool) -> list[Step]:
    """The train step of the paper's network, ours and PyTorch's, in several batches."""
    steps = []
    for triplets in (1, 2) if tiny else (32, 64, 128):
        ours = [f'--config.train.batch_triplets={triplets}', '--config.model.dtype=bfloat16']
        theirs = [sys.executable, str(carried / 'peers' / 'torch_cosegnet.py'), *torch_paper(triplets, tiny)]
        steps.append(Step(f'ours {triplets}', 40, benchmark('pascal_voc', 'train', tiny, *ours)))
        steps.append(Step(f'torch {triplets}', 60, theirs))
    return steps


def torch_paper(triplets: int, tiny: bool) -> list[str]:
    """Arguments of PyTorch's program."""
    size = ['--size', '32', '--steps', '1'] if tiny else ['--size', '224', '--warmup', '3', '--compile']
    return ['--mode', 'train', '--form', 'triplets', '--triplets', str(triplets), *size]


def best_batches(figures: Path) -> tuple[int, int] | None:
    """Triplets at which either program is the fastest."""
    found = {
        who: [row for row in rows(figures) if row.get('step', '').startswith(who) and 'triplets_per_s' in row]
        for who in ('ours', 'torch')
    }
    if not all(found.values()):
        return None
    best = [max(some, key=lambda row: row['triplets_per_s'])['step'].split()[1] for some in found.values()]
    return int(best[0]), int(best[1])


def beside_torch(carried: Path, ours: int, theirs: int, tiny: bool) -> Step:
    """Both in turn, each at its best batch."""
    arguments = [
        f'--config.train.batch_triplets={ours}',
        '--config.model.dtype=bfloat16',
        f'--peer={carried / "peers" / "torch_cosegnet.py"}',
        f'--peer_args={" ".join(torch_paper(theirs, tiny))}',
        f'--peer_runs={1 if tiny else 2}',
    ]
    return Step('in turn', 120, benchmark('pascal_voc', 'train', tiny, *arguments))


def recipe(carried: Path, out: Path, tiny: bool) -> list[Step]:
    """The tuned recipe on PASCAL-VOC, for as many steps as its time gives."""
    return [Step('recipe', 300, script('recipe.py', carried, out, *['--tiny'] * tiny))]


def small(carried: Path, out: Path, tiny: bool) -> list[Step]:
    """The small network, ours and PyTorch's in turn; and the forms of layers."""
    steps = []
    count = 4 if tiny else 128
    size = 64 if tiny else 256
    for mode in ('train', 'eval'):
        batch = {
            'train': [
                '--config.train.batch_classes=2' if tiny else '--config.train.batch_classes=16',
                f'--config.train.batch_images_per_class={count // (2 if tiny else 16)}',
            ],
            'eval': [f'--config.evaluation.batch_images={count}'],
        }[mode]
        theirs = f'{carried / "peers" / "torch_lite.py"} --mode {mode} --size {size} --images {count}'
        arguments = [
            *batch,
            '--config.model.dtype=bfloat16',
            f'--peer={HERE / "torch_small.py"}',
            f'--peer_args={theirs}{"" if tiny else " --compile"}',
            f'--peer_runs={1 if tiny else 2}',
        ]
        steps.append(Step(f'small {mode}', 60, benchmark('pyramid', mode, tiny, *arguments)))
    for config, batch in (('pascal_voc', 'batch_triplets=16'), ('pyramid', 'batch_classes=16')):
        if tiny:
            batch = batch.replace('16', '2')
        layers = narrow(config) if tiny else []
        command = [
            sys.executable,
            'benchmarks/layer_forms.py',
            f'--config={config}',
            f'--config.train.{batch}',
        ]
        more = ['--config.model.dtype=bfloat16']
        steps.append(Step(f'layers {config}', 40, [*command, *more, *layers]))
    return steps


def kernels(carried: Path, out: Path, tiny: bool) -> list[Step]:
    """The ten longest kernels of a step of each network."""
    return [Step('kernels', 50, script('kernels.py', *['--tiny'] * tiny))]


STEPS = {'device': device, 'paper': paper, 'recipe': recipe, 'small': small, 'kernels': kernels}

if __name__ == '__main__':
    main()
