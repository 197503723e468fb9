import jax
import numpy as np
import pytest

from cosegnet_jax import config as configs
from cosegnet_jax import mesh as meshes
from cosegnet_jax import models
from cosegnet_jax.models import apply
from cosegnet_jax.training import state

CONFIG = configs.Model(width=1 / 64, weights='none')


@pytest.fixture(scope='module')
def params():
    return jax.jit(
        lambda: state.random_params(CONFIG, 0), out_shardings=meshes.replicated(meshes.data_mesh())
    )()


@pytest.fixture(scope='module')
def images():
    return np.random.default_rng(0).integers(0, 256, (11, 32, 32, 3), np.uint8)


def test_descriptions_do_not_depend_on_the_batch(params, images):
    """Nothing is dropped, and padding leaves no trace; 1 is rounded up to the eight devices."""
    graph, mesh = models.graph(CONFIG), meshes.data_mesh()
    masks, embeddings = apply.describe(graph, params, images, 1, mesh)
    assert masks.shape == (11, 32, 32)
    assert embeddings.shape == (11, 64)
    other_masks, other_embeddings = apply.describe(graph, params, images, 16, mesh)
    np.testing.assert_allclose(masks, other_masks, rtol=1e-5)
    np.testing.assert_allclose(embeddings, other_embeddings, rtol=1e-4, atol=1e-5)
    alone, _ = apply.describe(graph, params, images[7:8], 1, mesh)
    np.testing.assert_allclose(masks[7], alone[0], rtol=1e-5)


def test_describing_again_does_not_recompile(params, images):
    mesh = meshes.data_mesh()
    apply.describe(models.graph(CONFIG), params, images, 8, mesh)
    compiled = apply._describe._cache_size()
    apply.describe(models.graph(CONFIG), params, images[:3], 8, mesh)
    assert apply._describe._cache_size() == compiled


def test_decisions_do_not_depend_on_the_block(params, monkeypatch):
    embeddings = np.random.default_rng(1).normal(size=(7, 64)).astype(np.float32)
    graph = models.graph(CONFIG)
    whole = apply.decide(graph, params, embeddings, symmetric=False)
    monkeypatch.setattr(apply, 'PAIR_BLOCK', 3)
    np.testing.assert_allclose(apply.decide(graph, params, embeddings, symmetric=False), whole, rtol=1e-5)


def test_symmetric_decisions_average_the_two_orders(params):
    embeddings = np.random.default_rng(1).normal(size=(5, 64)).astype(np.float32)
    graph = models.graph(CONFIG)
    one_way = apply.decide(graph, params, embeddings, symmetric=False)
    assert np.abs(one_way - one_way.T).max() > 1e-3
    both = apply.decide(graph, params, embeddings, symmetric=True)
    np.testing.assert_allclose(both, (one_way + one_way.T) / 2, rtol=1e-6)
