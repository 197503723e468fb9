"""The small network: what it gives, and what learns from what."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from cosegnet_jax import networks
from cosegnet_jax.config import Model
from cosegnet_jax.networks import image_network

SMALL = Model(name='pyramid', encoder='efficientnet_lite0', width=1 / 8, weights='none')
AFTER_TAP = {'stride4', 'stride8', 'mask'}


def params_of(config: Model):
    return jax.jit(lambda: nnx.to_pure_dict(nnx.state(networks.build(config, 0), nnx.Param)))()


@pytest.fixture(scope='module')
def small():
    return params_of(SMALL)


def photos(count: int, side: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


@pytest.mark.parametrize('encoder', ['efficientnet_lite0', 'vgg16'])
def test_every_photo_gets_a_mask_of_its_size_and_a_unit_embedding(encoder):
    config = Model(name='pyramid', encoder=encoder, width=1 / 32, weights='none')
    masks, embeddings = jax.eval_shape(
        lambda images: image_network.masks_and_embeddings(networks.build(config, 0), images),
        jax.ShapeDtypeStruct((2, 96, 64, 3), jnp.uint8),
    )
    assert masks.shape == (2, 96, 64)
    assert embeddings.shape == (2, 64)


def test_a_photo_is_described_alike_in_any_company(small):
    describe = jax.jit(
        lambda images: image_network.masks_and_embeddings(nnx.merge(networks.graph(SMALL), small), images)
    )
    masks, embeddings = describe(photos(3))
    again = describe(photos(3)[::-1])
    np.testing.assert_allclose(masks[::-1], again[0], atol=1e-6)
    np.testing.assert_allclose(embeddings[::-1], again[1], atol=1e-5)
    np.testing.assert_allclose(jnp.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_a_pair_is_decided_alike_in_both_orders_and_in_a_table(small):
    decision = nnx.merge(networks.graph(SMALL), small).decision
    rows, columns = (
        jnp.asarray(np.random.default_rng(seed).standard_normal((3, 64)) / 8, jnp.float32) for seed in (1, 2)
    )
    np.testing.assert_array_equal(decision(rows, columns), decision(columns, rows))
    table = decision.table(rows, columns)
    for i, j in np.ndindex(3, 3):
        assert table[i, j] == pytest.approx(float(decision(rows[i], columns[j])), abs=1e-5)


def test_what_follows_the_tap_learns_nothing_from_embeddings(small):
    def answer(params, of):
        description = nnx.merge(networks.graph(SMALL), params).describe(jnp.asarray(photos(2)))
        return jnp.sum(getattr(description, of)[:, :2])

    def moved(of):
        gradient = jax.jit(jax.grad(answer), static_argnums=1)(small, of)['decoder']
        return {
            name for name, layer in gradient.items() if any(np.any(leaf) for leaf in jax.tree.leaves(layer))
        }

    assert moved('embedding') == {'stride16', 'stride32'}
    assert moved('logits') == {'stride16', 'stride32'} | AFTER_TAP
