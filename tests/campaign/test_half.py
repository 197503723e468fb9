import jax
import numpy as np
import pytest

from campaign import half
from cosegnet_jax import config as configs
from cosegnet_jax import mesh as meshes
from cosegnet_jax.errors import UserError
from cosegnet_jax.training import checkpoints, state
from cosegnet_jax.training.trained_on import TrainedOn


def test_a_run_is_restored_from_half_of_its_weights(tmp_path):
    config = configs.Config(model=configs.Model(width=0.02, weights='none'))
    mesh, rng = meshes.data_mesh(), np.random.default_rng(0)
    shapes = state.abstract_params(config.model, mesh)
    params = jax.tree.map(lambda like: rng.standard_normal(like.shape, np.float32), shapes)
    trained = checkpoints.Trained(7, params, config, TrainedOn('pascal_coseg', '', ['cow/a', 'cow/b']))
    half.write(trained, tmp_path, file_bytes=20_000)
    assert len(list(tmp_path.glob('half-*.npz'))) > 1
    assert max(file.stat().st_size for file in tmp_path.glob('half-*.npz')) < 40_000

    half.restore(tmp_path, tmp_path / 'run')
    found = checkpoints.load_params(tmp_path / 'run', config, mesh, None)
    assert (found.step, found.config, found.trained_on) == (7, config, trained.trained_on)
    for ours, theirs in zip(jax.tree.leaves(found.params), jax.tree.leaves(params), strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=5e-4, atol=1e-7)


def test_a_folder_without_weights_is_named(tmp_path):
    with pytest.raises(UserError, match=rf'{tmp_path}: no half-\*\.npz'):
        half.restore(tmp_path, tmp_path / 'run')
