import jax
import numpy as np
import pytest
import twins
from flax import nnx

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.networks import apply_pairwise
from cosegnet_jax.runtime import mesh as meshes

PAIRS = np.array([[0, 4], [1, 2], [3, 10], [4, 0], [5, 5], [9, 6], [8, 7], [2, 10], [10, 2], [0, 1], [7, 3]])


@pytest.fixture(scope='module', params=['base', 'attention'])
def network(request):
    """Structure and weights of a network that describes an image by one array, and of one by two."""
    config = configs.Model(name=request.param, width=1 / 16, weights='none')
    graph, weights = nnx.split(twins.filled(lambda: networks.build(config, 0)))
    return graph, jax.device_put(weights, meshes.replicated(meshes.data_mesh()))


@pytest.fixture(scope='module')
def images():
    return np.random.default_rng(0).integers(0, 256, (11, 32, 32, 3), np.uint8)


def described(network, images, size):
    """Descriptions of all images, made `size` at a time."""
    batches = (images[start : start + size] for start in range(0, len(images), size))
    return apply_pairwise.describe(*network, batches, size, meshes.data_mesh())


def test_masks_are_those_of_the_network_passed_one_pair_at_a_time(network, images):
    """The first image's own mask comes first; nothing is dropped, and padding leaves no trace."""

    @jax.jit
    def both(pair):
        model = nnx.merge(*network)
        seen = model.describe(pair)
        return jax.nn.sigmoid(model.pair_masks(seen, jax.tree.map(lambda x: x[::-1], seen)))

    chunks = list(apply_pairwise.masks(*network, described(network, images, 4), PAIRS, 8, meshes.data_mesh()))
    assert [len(chunk) for chunk in chunks] == [8, 3]
    found = np.concatenate(chunks)
    assert found.shape == (11, 2, 32, 32)
    for pair, masks in zip(PAIRS, found, strict=True):
        np.testing.assert_allclose(masks, both(images[pair]), rtol=1e-4)
    assert np.abs(found[7, 1] - found[2, 1]).max() > 1e-3  # image 10 beside 2, and beside 3


def test_more_pairs_and_images_do_not_recompile(network, images):
    few = described(network, images[:5], 8)
    next(apply_pairwise.masks(*network, few, PAIRS[:1], 8, meshes.data_mesh()))
    jitted = (apply_pairwise._describe, apply_pairwise._masks)
    compiled = [function._cache_size() for function in jitted]
    seen = described(network, images, 8)
    for _ in apply_pairwise.masks(*network, seen, PAIRS, 8, meshes.data_mesh()):
        pass
    assert [function._cache_size() for function in jitted] == compiled
