"""Weights of a run in half precision, in files that pass through a narrow pipe, and back.

python -m campaign.half --config=configs/NAME.py --workdir=RUN --weights=DIR    the best checkpoint to DIR
python -m campaign.half --restore --workdir=NEW_RUN --weights=DIR               a run that eval.py scores
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags
from flax import traverse_util

from cosegnet_jax import cli, config
from cosegnet_jax import mesh as meshes
from cosegnet_jax.errors import UserError
from cosegnet_jax.training import checkpoints, optimizer
from cosegnet_jax.training.state import State
from cosegnet_jax.training.trained_on import TrainedOn

FILE_BYTES = 15 * 2**20

_WEIGHTS = flags.DEFINE_string('weights', 'weights', 'Folder of the files.')
_RESTORE = flags.DEFINE_bool('restore', False, 'Make a run of the files, instead of files of a run.')


def write(trained: checkpoints.Trained, folder: Path, file_bytes: int = FILE_BYTES) -> None:
    """Writes weights, config and training images as 'half-0.npz' and so on, each below `file_bytes`.

    Half precision moves a weight by up to 1/2048 of itself, a quarter of what bfloat16 compute does.
    """
    arrays = {
        name: np.asarray(array, np.float16)
        for name, array in traverse_util.flatten_dict(trained.params, sep='/').items()
    }
    about = {
        'step': trained.step,
        'config': dataclasses.asdict(trained.config),
        'trained_on': trained.trained_on._asdict(),
    }
    for old in folder.glob('half-*.npz'):
        old.unlink()
    for number, group in enumerate(_groups(arrays, file_bytes)):
        np.savez_compressed(folder / f'half-{number}.npz', about=np.array(json.dumps(about)), **group)


def restore(folder: Path, workdir: Path) -> None:
    """Makes a run of one checkpoint; its optimizer starts anew.

    Raises:
        UserError: There are no such files.
    """
    files = sorted(folder.glob('half-*.npz'))
    if not files:
        raise UserError(f'--weights={folder}: no half-*.npz in it; name the folder that they were written to')
    arrays = {}
    for file in files:
        with np.load(file, allow_pickle=False) as held:
            arrays |= {name: held[name] for name in held.files}
    about = json.loads(str(arrays.pop('about')))
    settings = config.resolve(about['config'])
    flat = {name: jnp.asarray(array, jnp.float32) for name, array in arrays.items()}
    params = traverse_util.unflatten_dict(flat, sep='/')
    update = optimizer.build(settings.optimizer, settings.train.steps)
    state = State(jnp.asarray(about['step'], jnp.int32), params, update.init(params))
    with checkpoints.manager(workdir) as manager:
        place = meshes.replicated(meshes.data_mesh())
        trained_on = TrainedOn(**about['trained_on'])
        checkpoints.save(manager, jax.device_put(state, place), settings, trained_on, score=None)


def _groups(arrays: dict[str, np.ndarray], file_bytes: int) -> Iterator[dict[str, np.ndarray]]:
    """Runs of arrays of at most `file_bytes` together; none is larger than a file."""
    group, size = {}, 0
    for name, array in arrays.items():
        if group and size + array.nbytes > file_bytes:
            yield group
            group, size = {}, 0
        group[name] = array
        size += array.nbytes
    yield group


def main() -> None:
    """Does what the flags say."""
    if _RESTORE.value:
        cli.refuse_config()
        restore(Path(_WEIGHTS.value), cli.workdir())
    else:
        trained = checkpoints.load_params(cli.run_folder(), cli.config(), meshes.data_mesh(), None)
        write(trained, cli.writable('weights', _WEIGHTS.value))


if __name__ == '__main__':
    cli.start(main)
