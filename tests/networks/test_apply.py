import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.networks import apply
from cosegnet_jax.runtime import mesh as meshes
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


def describe(params, images, size):
    """Masks and embeddings of all images, described `size` at a time."""
    batches = [images[start : start + size] for start in range(0, len(images), size)]
    described = apply.describe(networks.graph(CONFIG), params, batches, size, meshes.data_mesh())
    masks, embeddings = zip(*described, strict=True)
    assert [len(mask) for mask in masks] == [len(batch) for batch in batches]
    return np.concatenate(masks), np.concatenate(embeddings)


def decide(params, rows, columns, symmetric=False):
    return apply.decide(networks.graph(CONFIG), params, rows, columns, symmetric, meshes.data_mesh())


def test_descriptions_do_not_depend_on_the_batch(params, images):
    """Nothing is dropped, and padding leaves no trace; 1 and 3 are rounded up to the eight devices."""
    masks, embeddings = describe(params, images, 16)
    assert masks.shape == (11, 32, 32)
    assert embeddings.shape == (11, 64)
    other_masks, other_embeddings = describe(params, images, 3)
    np.testing.assert_allclose(masks, other_masks, rtol=1e-5)
    np.testing.assert_allclose(embeddings, other_embeddings, rtol=1e-4, atol=1e-5)
    alone, _ = describe(params, images[7:8], 1)
    np.testing.assert_allclose(masks[7], alone[0], rtol=1e-5)


def test_describing_again_does_not_recompile(params, images):
    describe(params, images, 8)
    compiled = apply._describe._cache_size()
    describe(params, images[:3], 8)
    assert apply._describe._cache_size() == compiled


def test_next_batch_is_read_while_the_devices_are_at_the_one_before(params, images):
    read = []

    def batches():
        for start in range(0, 9, 3):
            read.append(start)
            yield images[start : start + 3]

    described = apply.describe(networks.graph(CONFIG), params, batches(), 8, meshes.data_mesh())
    seen = [list(read) for _ in described]
    assert seen == [[0, 3], [0, 3, 6], [0, 3, 6]]


def test_decisions_do_not_depend_on_the_block(params, monkeypatch):
    rows, columns = np.random.default_rng(1).normal(size=(2, 7, 64)).astype(np.float32)
    whole = decide(params, rows, columns[:5], symmetric=True)
    assert whole.shape == (7, 5)
    monkeypatch.setattr(apply, 'PAIR_BLOCK', 3)
    np.testing.assert_allclose(decide(params, rows, columns[:5], symmetric=True), whole, rtol=1e-5)


def test_decisions_are_those_of_the_network(params):
    rows, columns = np.random.default_rng(1).normal(size=(2, 4, 64)).astype(np.float32)
    first, second = (jnp.asarray(side) for side in np.broadcast_arrays(rows[:, None], columns))
    expected = jax.nn.sigmoid(nnx.merge(networks.graph(CONFIG), params).decide(first, second))
    np.testing.assert_allclose(decide(params, rows, columns), expected, rtol=1e-5)


def test_symmetric_decisions_average_the_two_orders(params):
    rows, columns = np.random.default_rng(1).normal(size=(2, 5, 64)).astype(np.float32)
    one_way, other_way = decide(params, rows, columns), decide(params, columns, rows).T
    assert np.abs(one_way - other_way).max() > 1e-3
    both = decide(params, rows, columns, symmetric=True)
    np.testing.assert_allclose(both, (one_way + other_way) / 2, rtol=1e-5)


@pytest.mark.parametrize('count', [0, 1, 10])
def test_pairs_in_a_list_are_decided_as_in_the_table(params, monkeypatch, count):
    rng = np.random.default_rng(1)
    embeddings, pairs = rng.normal(size=(7, 64)).astype(np.float32), rng.integers(7, size=(count, 2))
    monkeypatch.setattr(apply, 'PAIR_BLOCK', 2)  # four pairs at a time
    decided = apply.decide_pairs(networks.graph(CONFIG), params, embeddings, pairs, meshes.data_mesh())
    table = decide(params, embeddings, embeddings, symmetric=True)
    np.testing.assert_allclose(decided, table[pairs[:, 0], pairs[:, 1]], rtol=1e-5)
