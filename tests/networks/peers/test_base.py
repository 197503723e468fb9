import functools

import jax.numpy as jnp
import numpy as np
import pytest
import twins
from flax import nnx

from cosegnet_jax.networks.cosegnet import CoSegNet
from cosegnet_jax.networks.encoders import ENCODERS
from cosegnet_jax.networks.peers.base import CoSegNetBase
from cosegnet_jax.runtime.errors import UserError


def build(width=1.0, dtype='float32'):
    return CoSegNetBase(width=width, dtype=jnp.dtype(dtype), rngs=nnx.Rngs(0))


@pytest.fixture(scope='module')
def small():
    return twins.filled(lambda: build(width=1 / 16))


def test_parameters_are_cosegnets_without_heads_and_with_twice_the_channels_into_ct1():
    heads = (256 * 128 + 128) + (128 * 64 + 64) + (128 * 32 + 32) + (32 + 1)
    second_map = 9 * 512 * 512
    assert twins.count(build) == 31_795_906 - heads + second_map == 34_109_889


def test_encoder_takes_the_weights_of_cosegnets():
    def encoder(build):
        return {path: shape for path, shape in twins.parameters(build).items() if path[0] == 'encoder'}

    cosegnet = functools.partial(
        CoSegNet, ENCODERS['vgg16'], tap='cT9', width=1.0, dtype=jnp.dtype('float32')
    )
    assert encoder(build)[('encoder', 'layers', 'conv5_3', 'kernel')] == (3, 3, 512, 512)
    assert encoder(build) == encoder(lambda: cosegnet(rngs=nnx.Rngs(0)))


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_masks_have_the_images_size_and_are_float32(dtype):
    seen, masks = twins.trace(lambda: build(dtype=dtype), 224, 160)
    assert seen.f.shape == (2, 7, 5, 512)
    assert seen.f.dtype == dtype
    assert masks.shape == (2, 224, 160)
    assert masks.dtype == jnp.float32


def test_the_partner_changes_a_mask_and_swapping_a_pair_gives_the_other(small):
    seen, paired, alone = twins.see(small)
    first, second = twins.pick(seen, [0]), twins.pick(seen, [1])
    np.testing.assert_allclose(small.pair_masks(second, first)[0], paired[1], rtol=1e-4, atol=1e-5)
    assert np.abs(paired - alone).max() > 1e-3


def test_own_channels_come_first(small):
    """Deaf to the second half of its input, the decoder does not notice who the partner is."""
    deaf = nnx.clone(small)
    kernel = deaf.decoder.layers['cT1'].kernel
    kernel[...] = kernel[...].at[:, :, kernel.shape[2] // 2 :].set(0)
    _, paired, alone = twins.see(deaf)
    np.testing.assert_allclose(paired, alone, rtol=1e-5)
    assert np.abs(alone[0] - alone[1]).max() > 1e-3


def test_gradients_reach_every_parameter(small):
    assert twins.unreached(small) == []


def test_a_side_that_is_no_multiple_of_32_is_refused(small):
    with pytest.raises(UserError, match='multiple of 32'):
        small.describe(jnp.zeros((1, 64, 50, 3), jnp.uint8))
