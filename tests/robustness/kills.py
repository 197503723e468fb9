"""SIGKILL at random moments of a prediction, a training and a preparation, until each ends."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import endings
import inputs
import numpy as np
from zygote import PRELOADED, Zygote

KILLS = 50  # of each command
ENDINGS = {'predict': endings.of_prediction, 'train': endings.of_training, 'prepare': endings.of_preparation}


def make_inputs(folder: Path) -> dict[str, Callable[[Path], list[str]]]:
    """The commands, by the folder that each writes to."""
    photos, classes = folder / 'photos', folder / 'classes'
    photos.mkdir(parents=True)
    for number in range(40):
        inputs.scene(number).save(photos / f'{number}.png')
    for kind in ('cat', 'dog'):
        for part in ('images', 'masks'):
            (classes / part / kind).mkdir(parents=True)
        for number in range(60):
            photo = inputs.scene(number + 100 * (kind == 'dog'))
            photo.save(classes / 'images' / kind / f'{number}.png')
            mask = photo.convert('L').point(lambda level: 255 * (level >= 120))
            mask.save(classes / 'masks' / kind / f'{number}.png')
    model = inputs.model_file(inputs.run_folder(folder / 'run'), folder / 'exported')
    annotations = '--annotations=coco,labelme,cvat'
    return {
        'predict': lambda out: [
            'predict', str(photos), f'--model={model}', f'--out={out}', '--threshold=0.4', annotations
        ],
        'train': lambda out: ['train', *endings.TRAIN, f'--workdir={out}'],
        'prepare': lambda out: ['prepare', 'folder/mine', f'--manual_dir={classes}', f'--data_dir={out}'],
    }  # fmt: skip


def run(scale: float, folder: Path) -> dict:
    """Kills each command at moments drawn from as long as it takes, starting it again until it ends."""
    rng = np.random.default_rng(23)
    commands = make_inputs(folder / 'inputs')
    figures = {}
    for name, command in commands.items():
        preloaded = ('cosegnet_jax.cli.prepare',) if name == 'prepare' else PRELOADED
        with Zygote(folder / f'zygote-{name}', preloaded) as zygote:
            figures[name] = _one(name, command, max(2, round(KILLS * scale)), folder, zygote, rng)
    total = {
        key: sum(one[key] for one in figures.values())
        for key in ('kills', 'endings', 'differences', 'failures')
    }
    return {**total, 'commands': figures}


def _one(name: str, command, count: int, folder: Path, zygote: Zygote, rng: np.random.Generator) -> dict:
    out = folder / f'{name}-out'  # always the same: a report names it
    for _ in range(2):  # the first compiles
        shutil.rmtree(out, ignore_errors=True)
        whole = zygote.run(*command(out))
    if whole.status:
        return {'kills': 0, 'endings': 0, 'differences': 0, 'failures': 1, 'stderr': whole.stderr[-500:]}
    expected = ENDINGS[name](out)
    kills = ends = 0
    differing, failures = [], []
    while kills < count:
        shutil.rmtree(out, ignore_errors=True)
        for _ in range(int(rng.integers(1, 6))):  # as often in a row
            done = zygote.run(*command(out), kill_after=float(rng.uniform(0.1, 1) * whole.seconds))
            kills += done.status == -9
            if done.status == 0:
                break
            if done.status != -9:
                failures.append(done.stderr[-300:])
        done = zygote.run(*command(out))
        if done.status or 'Traceback' in done.stderr:
            failures.append(done.stderr[-300:])
            continue
        ends += 1
        differing += endings.differences(ENDINGS[name](out), expected)
    return {
        'kills': kills,
        'endings': ends,
        'differences': len(differing),
        'failures': len(failures),
        'seconds_of_a_whole_run': round(whole.seconds, 1),
        **({'differing': sorted(set(differing))[:5]} if differing else {}),
        **({'stderr': failures[:2]} if failures else {}),
    }
