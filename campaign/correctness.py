"""Whether a device computes what another one did.

python -m campaign.correctness --config=configs/NAME.py --write=FILE.npz        on the one
python -m campaign.correctness --config=configs/NAME.py --against=FILE.npz --tolerance=1e-3

Three updates from the same weights on the same photos; then masks and embeddings of a batch. Prints the
relative distance of each number as a line of JSON, and ends with status 2 where one exceeds the tolerance.
"""

from __future__ import annotations

import json
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags

from cosegnet_jax import cli, data, models
from cosegnet_jax import mesh as meshes
from cosegnet_jax.config import Config
from cosegnet_jax.data import placement
from cosegnet_jax.errors import UserError
from cosegnet_jax.models import apply
from cosegnet_jax.training import optimizer, state, step

UPDATES = 3
LOOKED_AT = 6  # images

_WRITE = flags.DEFINE_string('write', None, 'File to write the numbers to.')
_AGAINST = flags.DEFINE_string('against', None, 'File to compare the numbers with.')
_TOLERANCE = flags.DEFINE_float('tolerance', None, 'Largest relative distance, with --against.')


def numbers(config: Config) -> dict[str, np.ndarray]:
    """Losses and norms before each update, then masks and embeddings, of the configured CoSegNet.

    Raises:
        UserError: The data cannot be used.
    """
    mesh = meshes.data_mesh()
    data.check_batch(config, mesh)
    examples = data.part(data.load(config), config, 'train')
    update = optimizer.build(config.optimizer, config.train.steps)
    feed = placement.feed('replicated', examples, data.sampler(examples, config), range(UPDATES), mesh)
    run_step = step.make_step(config, update, mesh, feed.batch)
    current, metrics = _initial(config, update, mesh), []
    for brought in feed.brought:
        current, of_step = run_step(current, feed.resident, brought)
        del of_step['active_triplets']  # a count, which rounding may turn
        metrics.append(jax.device_get(of_step))
    graph, photos = models.graph(config.model), np.asarray(examples.images[:LOOKED_AT])
    [(masks, embeddings)] = apply.describe(graph, current.params, [photos], len(photos), mesh)
    curves = {name: np.array([of_step[name] for of_step in metrics]) for name in metrics[0]}
    return {**curves, 'masks': masks, 'embeddings': embeddings}


def distances(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> dict[str, float]:
    """‖ours - theirs‖ / ‖theirs‖ of each array; infinite where ours are no numbers.

    Raises:
        UserError: The arrays differ in names or shapes, so that they belong to another config.
    """
    of_ours, of_theirs = ({name: a.shape for name, a in arrays.items()} for arrays in (ours, theirs))
    if of_ours != of_theirs:
        raise UserError('--against has the numbers of another config; write it anew with --write')
    found = {}
    for name, expected in theirs.items():
        scale = float(np.linalg.norm(expected)) or 1.0
        distance = float(np.linalg.norm(ours[name] - expected)) / scale
        found[name] = distance if math.isfinite(distance) else math.inf
    return found


def _initial(config: Config, update: Any, mesh: Any) -> state.State:
    """He normal weights drawn by NumPy, so that they depend on neither device nor version of JAX."""
    rng = np.random.default_rng(config.seed)

    def draw(like: jax.ShapeDtypeStruct) -> np.ndarray:
        deviation = math.sqrt(2 / math.prod(like.shape[:-1])) if len(like.shape) > 1 else 0.0
        return (deviation * rng.standard_normal(like.shape)).astype(np.float32)

    params = jax.tree.map(draw, state.abstract_params(config.model, mesh))
    begun = state.State(jnp.zeros((), jnp.int32), params, update.init(params))
    return jax.device_put(begun, meshes.replicated(mesh))


def main() -> None:
    """Writes the numbers, or compares them."""
    config = cli.config()
    if models.is_pairwise(config.model):
        raise UserError(f'config.model.name={config.model.name}: only cosegnet is compared')
    if bool(_WRITE.value) == bool(_AGAINST.value):
        raise UserError('give one of --write=FILE and --against=FILE')
    if _WRITE.value:
        found = numbers(config)
        if not all(np.isfinite(array).all() for array in found.values()):
            raise UserError('the updates diverge, and nothing can be compared; lower the learning rate')
        np.savez_compressed(_WRITE.value, **found)
        return
    if _TOLERANCE.value is None:
        raise UserError('--tolerance is missing: the largest relative distance that is right')
    try:
        with np.load(_AGAINST.value, allow_pickle=False) as held:
            expected = dict(held)
    except (OSError, ValueError) as error:
        raise UserError(
            f'--against={_AGAINST.value}: cannot be read ({error}); write it with --write'
        ) from error
    found = distances(numbers(config), expected)
    worst = max(found, key=found.get)
    print(json.dumps({'tolerance': _TOLERANCE.value, 'dtype': config.model.dtype, 'distances': found}))
    if found[worst] > _TOLERANCE.value:
        raise UserError(f'{worst} differs by {found[worst]:.2e}, more than --tolerance={_TOLERANCE.value:g}')


if __name__ == '__main__':
    cli.start(main)
