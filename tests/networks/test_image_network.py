import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.networks import image_network
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import state

CONFIG = configs.Config(image_size=32, model=configs.Model(width=1 / 64, weights='none'))


@pytest.fixture(scope='module')
def network():
    mesh = meshes.data_mesh()
    make = jax.jit(lambda: state.random_params(CONFIG.model, 0), out_shardings=meshes.replicated(mesh))
    return networks.trained(CONFIG, make(), mesh)


@pytest.fixture(scope='module')
def images():
    return np.random.default_rng(0).integers(0, 256, (11, 32, 32, 3), np.uint8)


def describe(network, images, size):
    """Masks and embeddings of all images, described `size` at a time."""
    batches = [images[start : start + size] for start in range(0, len(images), size)]
    masks, embeddings, _ = zip(*network.describe(batches, size), strict=True)
    assert [len(mask) for mask in masks] == [len(batch) for batch in batches]
    return np.concatenate(masks), np.concatenate(embeddings)


def decide(network, rows, columns, symmetric=False):
    return network.decide(rows, columns, symmetric)


def test_descriptions_do_not_depend_on_the_batch(network, images):
    """Nothing is dropped, and padding leaves no trace; 1 and 3 are rounded up to the eight devices."""
    masks, embeddings = describe(network, images, 16)
    assert masks.shape == (11, 32, 32)
    assert embeddings.shape == (11, 64)
    other_masks, other_embeddings = describe(network, images, 3)
    np.testing.assert_allclose(masks, other_masks, rtol=1e-5)
    np.testing.assert_allclose(embeddings, other_embeddings, rtol=1e-4, atol=1e-5)
    alone, _ = describe(network, images[7:8], 1)
    np.testing.assert_allclose(masks[7], alone[0], rtol=1e-5)


def test_describing_again_does_not_recompile(network, images):
    describe(network, images, 8)
    compiled = image_network._describe._cache_size()
    describe(network, images[:3], 8)
    assert image_network._describe._cache_size() == compiled


def test_next_batch_is_read_while_the_devices_are_at_the_one_before(network, images):
    read = []

    def batches():
        for start in range(0, 9, 3):
            read.append(start)
            yield images[start : start + 3]

    described = network.describe(batches(), 8)
    seen = [list(read) for _ in described]
    assert seen == [[0, 3], [0, 3, 6], [0, 3, 6]]


def test_decisions_do_not_depend_on_the_block(network, monkeypatch):
    rows, columns = np.random.default_rng(1).normal(size=(2, 7, 64)).astype(np.float32)
    whole = decide(network, rows, columns[:5], symmetric=True)
    assert whole.shape == (7, 5)
    monkeypatch.setattr(image_network, 'PAIR_BLOCK', 3)
    np.testing.assert_allclose(decide(network, rows, columns[:5], symmetric=True), whole, rtol=1e-5)


def test_decisions_are_those_of_the_network(network):
    rows, columns = np.random.default_rng(1).normal(size=(2, 4, 64)).astype(np.float32)
    first, second = (jnp.asarray(side) for side in np.broadcast_arrays(rows[:, None], columns))
    expected = jax.nn.sigmoid(nnx.merge(network.graph, network.params).decision(first, second))
    np.testing.assert_allclose(decide(network, rows, columns), expected, rtol=1e-5)


def test_symmetric_decisions_average_the_two_orders(network):
    rows, columns = np.random.default_rng(1).normal(size=(2, 5, 64)).astype(np.float32)
    one_way, other_way = decide(network, rows, columns), decide(network, columns, rows).T
    assert np.abs(one_way - other_way).max() > 1e-3
    both = decide(network, rows, columns, symmetric=True)
    np.testing.assert_allclose(both, (one_way + other_way) / 2, rtol=1e-5)


@pytest.mark.parametrize('count', [0, 1, 10])
def test_pairs_in_a_list_are_decided_as_in_the_table(network, monkeypatch, count):
    rng = np.random.default_rng(1)
    embeddings, pairs = rng.normal(size=(7, 64)).astype(np.float32), rng.integers(7, size=(count, 2))
    monkeypatch.setattr(image_network, 'PAIR_BLOCK', 2)  # four pairs at a time
    decided = network.decide_pairs(embeddings, pairs)
    table = decide(network, embeddings, embeddings, symmetric=True)
    np.testing.assert_allclose(decided, table[pairs[:, 0], pairs[:, 1]], rtol=1e-5)
