"""The partner head, and masks beside a partner."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from cosegnet_jax import config, networks
from cosegnet_jax.networks import image_network
from cosegnet_jax.networks.partner import PLACES, PartnerHead, Places
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import state

CONFIG = config.Config(
    image_size=32,
    model=config.Model(name='pyramid', encoder='efficientnet_lite0', width=1 / 16, weights='none'),
)


@pytest.fixture(scope='module')
def head():
    head = PartnerHead((8, 8), rngs=nnx.Rngs(0))
    head.fc2.kernel[...] *= 100
    return head


def places(*kinds, objects=None) -> Places:
    """Photos of four places, each of one kind of thing."""
    vectors = jnp.eye(PLACES)[jnp.array(kinds)].reshape(-1, 2, 2, PLACES)
    shares = jnp.ones(4) if objects is None else jnp.array(objects, jnp.float32)
    return Places(vectors, shares.reshape(vectors.shape[:3]))


def test_a_partner_multiplies_the_odds_of_a_pixel():
    mask, halved = jnp.full((1, 4, 4), 0.8), jnp.full((1, 2, 2), -jnp.log(2.0))
    beside = image_network.masks_beside_partner(mask, halved)
    np.testing.assert_allclose(beside, 2 / 3, rtol=1e-5)  # odds of 4
    of_bytes = image_network.masks_beside_partner(jnp.full((1, 4, 4), 204, jnp.uint8), halved)
    np.testing.assert_allclose(of_bytes, beside, rtol=1e-5)


def test_a_partner_can_empty_the_surest_mask_and_leave_it():
    sure, nothing = jnp.full((1, 4, 4), 255, jnp.uint8), jnp.zeros((1, 4, 4), jnp.uint8)
    assert np.all(image_network.masks_beside_partner(sure, jnp.full((1, 2, 2), -10.0)) < 0.1)
    assert np.all(image_network.masks_beside_partner(sure, jnp.zeros((1, 2, 2))) > 0.99)
    assert np.all(image_network.masks_beside_partner(nothing, jnp.zeros((1, 2, 2))) < 0.5 / 255)


def test_a_partner_only_takes_away_before_its_shift_is_fitted(head):
    change = head(places([0, 0, 1, 2]), places([1, 1, 1, 3]))
    assert (change <= 0).all()
    head.shift[...] += 0.5
    np.testing.assert_allclose(head(places([0, 0, 1, 2]), places([1, 1, 1, 3])), change + 0.5, rtol=1e-5)
    head.shift[...] -= 0.5


def test_only_likeness_counts(head):
    first, second = places([0, 0, 1, 2]), places([1, 1, 1, 3])
    names = dict(enumerate([5, 9, 4, 7]))
    other = [places([names[k] for k in kinds]) for kinds in ([0, 0, 1, 2], [1, 1, 1, 3])]
    np.testing.assert_allclose(head(first, second), head(*other), rtol=1e-5)
    logits = np.asarray(head(first, second)).ravel()
    assert logits[0] == pytest.approx(logits[1])
    assert logits[2] != pytest.approx(logits[0], abs=1e-3)  # the partner's kind of thing


def test_what_counts_of_a_partner_is_its_object(head):
    first = places([0, 0, 1, 1])
    near = places([1, 1, 0, 0], objects=[1, 1, 0, 0])
    alone = places([1, 1, 1, 1])
    far = places([1, 1, 0, 0], objects=[0, 0, 1, 1])
    near, alone, far = (np.asarray(head(first, second)) for second in (near, alone, far))
    assert np.abs(near - alone).mean() < np.abs(far - alone).mean()


@pytest.mark.parametrize('pairs', [1, image_network.COMPARED + 1])
def test_pairs_are_compared_as_one_by_one(pairs):
    params = jax.jit(lambda: state.random_params(CONFIG.model, 0))()
    network = networks.trained(CONFIG, params, meshes.data_mesh())
    images = np.random.default_rng(0).integers(0, 256, (pairs, 32, 32, 3), np.uint8)
    [described] = network.describe([images], pairs)
    mirrored = Places(*(x[::-1] for x in described.places))
    compared = network.compare(described.places, mirrored)
    model = nnx.merge(network.graph, network.params)
    want = model.partner(*jax.tree.map(jnp.asarray, (described.places, mirrored)))
    np.testing.assert_allclose(compared, want, rtol=1e-4, atol=1e-4)
    lengths = jnp.linalg.norm(described.places.vectors, axis=-1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-4)
