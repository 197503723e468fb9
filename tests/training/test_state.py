import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.networks.encoders import vgg16
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import optimizer, state

SMALL = configs.Config(model=configs.Model(width=1 / 64, weights='none'))


def test_training_starts_from_the_given_encoder_and_random_else():
    mesh = meshes.data_mesh()
    update = optimizer.build(SMALL, 1)
    random = state.initial(SMALL, {}, update, mesh)
    encoder = jax.tree.map(lambda p: np.full(p.shape, 0.5, np.float32), random.params['encoder'])
    given = state.initial(SMALL, {'encoder': encoder}, update, mesh)
    jax.tree.map(np.testing.assert_array_equal, given.params['encoder'], encoder)
    jax.tree.map(np.testing.assert_array_equal, given.params['decoder'], random.params['decoder'])
    layer = given.params['encoder']['layers']['conv1_1']['kernel']
    assert layer.sharding == meshes.replicated(mesh)


def test_random_weights_follow_the_seed_and_are_he_normal_with_zero_bias():
    config = configs.Model(width=0.25, weights='none')
    first, again, other = (
        jax.jit(state.random_params, static_argnums=(0, 1))(config, seed) for seed in (0, 0, 1)
    )
    jax.tree.map(np.testing.assert_array_equal, first, again)
    kernel = first['decoder']['layers']['cT5']['kernel']
    assert np.abs(kernel - other['decoder']['layers']['cT5']['kernel']).max() > 0.01
    assert abs(float(np.std(kernel)) / np.sqrt(2 / (9 * 128)) - 1) < 0.02
    np.testing.assert_array_equal(first['decoder']['layers']['cT5']['bias'], 0)


def test_the_feature_map_of_given_weights_is_scaled(tmp_path):
    rng, cin, arrays = np.random.default_rng(0), 3, {}
    for name, channels in (layer for block in vgg16.BLOCKS for layer in block):
        kernel = rng.normal(0, np.sqrt(2 / 9 / cin), (3, 3, cin, channels))
        arrays |= {f'{name}_W': kernel.astype(np.float32), f'{name}_b': np.ones(channels, np.float32)}
        cin = channels
    np.savez(tmp_path / 'vgg16.npz', **arrays)
    config = configs.Model(weights=str(tmp_path / 'vgg16.npz'))
    image = jnp.full((1, 32, 32, 3), 200, jnp.uint8)

    encoder = vgg16.VGG16(width=1.0, rngs=nnx.Rngs(0))

    def features(config):
        nnx.update(encoder, jax.tree.map(jnp.asarray, state.read_encoder(config)))
        return np.asarray(encoder(vgg16.ENCODER.normalize(image, jnp.dtype('float32')))[-1])

    as_read, quarter = features(config), features(dataclasses.replace(config, feature_scale=0.25))
    assert as_read.max() > 1
    np.testing.assert_allclose(quarter, as_read / 4, rtol=1e-5)


def test_the_abstract_state_is_the_state_without_numbers():
    mesh = meshes.data_mesh()
    config = configs.Config(model=SMALL.model, optimizer=configs.Optimizer(name='adam'))
    update = optimizer.build(config, 1)
    ours, theirs = state.abstract(config, update, mesh), state.random(config, update, mesh)
    for abstract, array in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert (abstract.shape, abstract.dtype, abstract.sharding) == (
            array.shape,
            array.dtype,
            array.sharding,
        )


def test_a_decoder_may_begin_by_handing_on_what_it_gets():
    """Then the maps of two images differ at cT9; of noise alone, they hardly do."""
    f = jnp.asarray(np.maximum(np.random.default_rng(0).normal(size=(2, 1, 1, 128)), 0), jnp.float32)

    def likeness(start: str) -> float:
        config = configs.Model(width=0.25, weights='none', decoder_start=start)
        model = nnx.merge(networks.graph(config), state.random_params(config, 0))
        first, second = model.decoder.to_tap(f).mean((1, 2))
        return float(first @ second / jnp.linalg.norm(first) / jnp.linalg.norm(second))

    assert likeness('identity') < 0.75
    assert likeness('he_normal') > 0.9
