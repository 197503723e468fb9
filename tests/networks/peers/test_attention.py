import jax
import jax.numpy as jnp
import numpy as np
import pytest
import twins
from flax import nnx

from cosegnet_jax.networks.peers.attention import Description, SemanticAttention
from cosegnet_jax.ops.convolution import conv7x7, upsample_conv5x5
from cosegnet_jax.runtime.errors import UserError

pytestmark = pytest.mark.slow


def build(width=1.0, dtype='float32'):
    return SemanticAttention(width=width, dtype=jnp.dtype(dtype), rngs=nnx.Rngs(0))


@pytest.fixture(scope='module')
def small():
    return twins.filled(lambda: build(width=1 / 16))


@pytest.fixture(scope='module')
def seen(small):
    return jax.jit(small.describe)(twins.photos(2))


@pytest.fixture(scope='module')
def pair_masks(small):
    return jax.jit(small.pair_masks)


def plain_conv(x, kernel, bias):
    dimensions = ('NHWC', 'HWIO', 'NHWC')
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), 'SAME', dimension_numbers=dimensions) + bias


def plain_upsample_conv(x, kernel, bias):
    return plain_conv(jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2), kernel, bias)


@pytest.mark.parametrize(
    ('ours', 'plain', 'size', 'cout'),
    [(upsample_conv5x5, plain_upsample_conv, 5, 8), (conv7x7, plain_conv, 7, 2)],
)
@pytest.mark.parametrize(('h', 'w'), [(1, 1), (3, 5), (8, 9)])
def test_convolutions_are_their_plain_forms(ours, plain, size, cout, h, w):
    twins.check_convolution(ours, plain, [(2, h, w, 9), (size, size, 9, cout), (cout,)])


def test_parameter_count_is_the_hand_count():
    attention = (512 * 4096 + 4096) + (4096 * 512 + 512)
    residual = 2 * 2 * (9 * 512 * 512 + 512)
    blocks = sum(25 * i * o + o for i, o in [(512, 256), (256, 128), (128, 64), (64, 32), (32, 16)])
    classes = 49 * 16 * 2 + 2
    hand = 14_714_688 + attention + residual + blocks + classes
    assert twins.count(build) == hand == 32_719_698
    assert twins.parameters(build)[('encoder', 'layers', 'conv5_3', 'kernel')] == (3, 3, 512, 512)


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_masks_have_the_images_size_and_are_float32(dtype):
    seen, masks = twins.trace(lambda: build(dtype=dtype), 512, 224)
    assert seen.f.shape == (2, 16, 7, 512)
    assert seen.attention.shape == (2, 512)
    assert seen.f.dtype == seen.attention.dtype == dtype
    assert masks.shape == (2, 512, 224)
    assert masks.dtype == jnp.float32


def plain_masks(model, x):
    def run(form, name, x):
        layer = model.decoder[name]
        return form(x, layer.kernel[...], layer.bias[...])

    for number in (1, 2):
        inner = jnp.maximum(run(plain_conv, f'residual{number}_1', x), 0)
        x = x + run(plain_conv, f'residual{number}_2', inner)
    for number in range(1, 6):
        x = jnp.maximum(run(plain_upsample_conv, f'up{number}', x), 0)
    scores = run(plain_conv, 'classes', x)
    return scores[..., 1] - scores[..., 0]


def test_forward_and_its_twin_equal_plain_arithmetic(small, seen, pair_masks):
    def dense(x, layer):
        return x @ np.asarray(layer.kernel[...], np.float64) + np.asarray(layer.bias[...])

    pooled = np.asarray(seen.f, np.float64).mean((1, 2))
    attention = 1 / (1 + np.exp(-dense(np.tanh(dense(pooled, small.fc1)), small.fc2)))
    np.testing.assert_allclose(seen.attention, attention, rtol=1e-4)
    attended = seen.f * jnp.asarray(attention[::-1, None, None], jnp.float32)
    want = jax.jit(lambda x: plain_masks(small, x))(attended)
    masks = pair_masks(seen, twins.pick(seen, [1, 0]))
    np.testing.assert_allclose(masks, want, rtol=1e-3, atol=1e-4)
    twin = pair_masks(twins.pick(seen, [1, 0]), seen)
    np.testing.assert_array_equal(twin, masks[::-1])


def test_only_the_partners_attention_counts(seen, pair_masks):
    masks = pair_masks(seen, twins.pick(seen, [1, 0]))
    other_own = Description(seen.f, 1 - seen.attention)
    other_partner = Description(2 * seen.f[::-1], seen.attention[::-1])
    np.testing.assert_array_equal(pair_masks(other_own, other_partner), masks)
    assert np.abs(pair_masks(seen, seen) - masks).max() > 1e-4


def test_swapping_the_attentions_swaps_the_channels_that_pass(seen, pair_masks):
    """One attention for the first half of the channels and one for the second, on the same features."""
    half = jnp.arange(seen.f.shape[-1]) < seen.f.shape[-1] // 2
    f = jnp.stack([seen.f[0], seen.f[0]])
    partners = Description(f, jnp.stack([half, ~half]).astype(jnp.float32))
    masks = pair_masks(Description(f, seen.attention), partners)
    assert np.abs(masks[0] - masks[1]).max() > 1e-4
    swapped = pair_masks(Description(f, seen.attention), twins.pick(partners, [1, 0]))
    np.testing.assert_array_equal(swapped, masks[::-1])
    elsewhere = Description(jnp.where(half, f, 99), seen.attention)  # changed where the first does not pass
    other = pair_masks(elsewhere, partners)
    np.testing.assert_array_equal(other[0], masks[0])
    assert np.abs(other[1] - masks[1]).max() > 1e-4


def test_without_attention_every_image_gives_the_same_mask(seen, pair_masks):
    masks = pair_masks(seen, Description(seen.f, jnp.zeros_like(seen.attention)))
    np.testing.assert_array_equal(masks[0], masks[1])


def test_gradients_reach_every_parameter(small):
    assert twins.unreached(small) == []


def test_a_side_that_is_no_multiple_of_32_is_refused(small):
    with pytest.raises(UserError, match='multiple of 32'):
        small.describe(jnp.zeros((1, 64, 50, 3), jnp.uint8))
