"""bfloat16 convolutions against float32 ones, over many updates."""

import jax
import numpy as np
import pytest

from cosegnet_jax import config as configs
from cosegnet_jax import data
from cosegnet_jax.data import placement
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import optimizer, state, step

pytestmark = pytest.mark.slow

STEPS = 24


def curves(dtype: str) -> dict[str, np.ndarray]:
    """Losses of every step, and the parameters after the last."""
    config = configs.Config(
        image_size=32,
        data=configs.Data(images_per_class=10),
        model=configs.Model(width=1 / 16, weights='none', dtype=dtype),
        loss=configs.Loss(w1_positive=25.0),
        optimizer=configs.Optimizer(learning_rate=1e-3),
        train=configs.Train(batch_triplets=6, steps=STEPS),
    )
    mesh = meshes.data_mesh(jax.devices()[:1])
    examples = data.part(data.load(config), config, 'train')
    update = optimizer.build(config, STEPS)
    feed = placement.feed('replicated', examples, data.sampler(examples, config), range(STEPS), mesh)
    run_step = step.make_step(config, update, mesh, feed.batch)
    current, metrics = state.random(config, update, mesh), []
    for per_step in feed.per_step:
        current, of_step = run_step(current, feed.on_device, per_step)
        metrics.append(jax.device_get(of_step))
    assert {x.dtype for x in jax.tree.leaves(current.params)} == {np.dtype(np.float32)}
    return {name: np.array([float(of_step[name]) for of_step in metrics]) for name in metrics[0]}


def test_bfloat16_learns_as_float32_does():
    """What one convolution rounds off, the means over pixels and images do not show.

    A loss that was itself summed or kept in bfloat16 would be off by up to 2⁻⁸.
    """
    exact, rounded = curves('float32'), curves('bfloat16')
    assert exact['loss_mask'][-1] < 0.95 * exact['loss_mask'][0]  # else there is nothing to follow
    found = {
        name: np.abs(rounded[name] / exact[name] - 1).max() for name in ('loss', 'loss_mask', 'loss_decision')
    }
    assert found == pytest.approx(dict.fromkeys(found, 0), abs=1e-3)
