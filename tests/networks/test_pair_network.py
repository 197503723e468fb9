import jax
import numpy as np
import pytest
import twins
from flax import nnx

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.networks import pair_network
from cosegnet_jax.runtime import mesh as meshes

PAIRS = np.array([[0, 4], [1, 2], [3, 10], [4, 0], [5, 5], [9, 6], [8, 7], [2, 10], [10, 2], [0, 1], [7, 3]])


@pytest.fixture(scope='module', params=['base', 'attention'])
def network(request):
    """A network that describes an image by one array, and one by two."""
    config = configs.Config(model=configs.Model(name=request.param, width=1 / 16, weights='none'))
    _, weights = nnx.split(twins.filled(lambda: networks.build(config.model, 0)))
    mesh = meshes.data_mesh()
    params = jax.device_put(nnx.to_pure_dict(weights), meshes.replicated(mesh))
    return networks.trained(config, params, mesh)


@pytest.fixture(scope='module')
def images():
    return np.random.default_rng(0).integers(0, 256, (11, 32, 32, 3), np.uint8)


def described(network, images, size):
    """Descriptions of all images, made `size` at a time."""
    batches = (images[start : start + size] for start in range(0, len(images), size))
    return network.describe(batches, size)


def test_masks_are_those_of_the_network_passed_one_pair_at_a_time(network, images):
    """The first image's own mask comes first; nothing is dropped, and padding leaves no trace."""

    @jax.jit
    def both(pair):
        model = nnx.merge(network.graph, network.params)
        seen = model.describe(pair)
        return jax.nn.sigmoid(model.pair_masks(seen, jax.tree.map(lambda x: x[::-1], seen)))

    chunks = list(network.pair_masks(described(network, images, 4), PAIRS, 8))
    assert [len(chunk) for chunk in chunks] == [8, 3]
    found = np.concatenate(chunks)
    assert found.shape == (11, 2, 32, 32)
    for pair, masks in zip(PAIRS, found, strict=True):
        np.testing.assert_allclose(masks, both(images[pair]), rtol=1e-4)
    assert np.abs(found[7, 1] - found[2, 1]).max() > 1e-3  # image 10 beside 2, and beside 3


def test_more_pairs_and_images_do_not_recompile(network, images):
    few = described(network, images[:5], 8)
    next(network.pair_masks(few, PAIRS[:1], 8))
    jitted = (pair_network._describe, pair_network._pair_masks)
    compiled = [function._cache_size() for function in jitted]
    seen = described(network, images, 8)
    for _ in network.pair_masks(seen, PAIRS, 8):
        pass
    assert [function._cache_size() for function in jitted] == compiled
