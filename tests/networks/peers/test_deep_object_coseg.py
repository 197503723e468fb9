import jax
import jax.numpy as jnp
import numpy as np
import pytest
import twins
from flax import nnx

from cosegnet_jax.networks.encoders import vgg16
from cosegnet_jax.networks.layers import two_class_logit
from cosegnet_jax.networks.peers.deep_object_coseg import REACH, DeepObjectCoSeg, correlate
from cosegnet_jax.ops.convolution import deconv4x4, pointwise
from cosegnet_jax.runtime.errors import UserError

pytestmark = pytest.mark.slow

DIMENSIONS = ('NHWC', 'HWIO', 'NHWC')


def build(width=1.0, dtype='float32'):
    return DeepObjectCoSeg(width=width, dtype=jnp.dtype(dtype), rngs=nnx.Rngs(0))


@pytest.fixture(scope='module')
def small():
    return twins.filled(lambda: build(width=1 / 32))


def correlate_by_loop(first, second, reach):
    n, h, w, channels = first.shape
    side = 2 * reach + 1
    out = np.zeros((n, h, w, side, side))
    for y, x, i, j in np.ndindex(h, w, side, side):
        v, u = y + i - reach, x + j - reach
        if 0 <= v < h and 0 <= u < w:
            out[:, y, x, i, j] = (first[:, y, x] * second[:, v, u]).sum(-1) / channels
    return out.reshape(n, h, w, side * side)


@pytest.mark.parametrize(('h', 'w', 'reach'), [(1, 1, 15), (2, 3, 15), (4, 3, 3), (6, 5, 2), (3, 4, 0)])
def test_correlation_is_that_of_a_loop(h, w, reach):
    first, second, other = np.random.default_rng(0).normal(size=(3, 2, h, w, 5)).astype(np.float32)
    want = correlate_by_loop(first, second, reach)
    weights = np.random.default_rng(1).normal(size=want.shape).astype(np.float32)

    @jax.jit
    def run(first, second):
        got, transpose = jax.vjp(lambda a, b: correlate(a, b, reach), first, second)
        return got, transpose(jnp.asarray(weights))

    got, gradients = run(first, second)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)
    # Linear in either map: a step in it changes the correlation by the correlation of the step.
    moves = correlate_by_loop(other, second, reach), correlate_by_loop(first, other, reach)
    for gradient, moved in zip(gradients, moves, strict=True):
        np.testing.assert_allclose((gradient * other).sum(), (weights * moved).sum(), rtol=1e-4, atol=1e-5)


def test_correlation_the_other_way_is_the_same_products_seen_from_the_other_place():
    first, second = jnp.asarray(np.random.default_rng(0).normal(size=(2, 1, 4, 4, 8)), jnp.float32)
    side = 2 * REACH + 1
    there, back = (
        correlate(*maps, REACH).reshape(4, 4, side, side) for maps in ((first, second), (second, first))
    )
    for y, x, v, u in np.ndindex(4, 4, 4, 4):
        i, j = v - y, u - x
        seen_from_there = back[v, u, REACH - i, REACH - j]
        np.testing.assert_allclose(there[y, x, REACH + i, REACH + j], seen_from_there, rtol=1e-5)


def test_correlation_neither_gathers_nor_holds_much_more_than_it_gives():
    maps = jax.ShapeDtypeStruct((2, 16, 16, 1024), jnp.float32)
    gradient = jax.make_jaxpr(jax.grad(lambda a, b: (correlate(a, b, REACH) ** 2).sum(), (0, 1)))(maps, maps)
    assert 'gather' not in str(gradient)
    assert 'scatter' not in str(gradient)
    largest = max(out.aval.size for equation in gradient.jaxpr.eqns for out in equation.outvars)
    assert largest < 3 * 2 * 16 * 16 * 31 * 31


def plain_deconv(x, kernel, bias):
    return jax.lax.conv_transpose(x, kernel, (2, 2), 'SAME', dimension_numbers=DIMENSIONS) + bias


def plain_conv(x, kernel, bias):
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), 'SAME', dimension_numbers=DIMENSIONS) + bias


@pytest.mark.parametrize(
    ('ours', 'plain', 'size'), [(deconv4x4, plain_deconv, 4), (pointwise, plain_conv, 1)]
)
@pytest.mark.parametrize(('h', 'w'), [(1, 1), (3, 5)])
def test_convolutions_are_their_plain_forms(ours, plain, size, h, w):
    twins.check_convolution(ours, plain, [(2, h, w, 9), (size, size, 9, 8), (8,)])


def test_deconvolution_starts_he_normal_over_the_taps_that_a_pixel_sees():
    kernel = jax.jit(lambda: build(width=1 / 32).decoder['deconv1'].kernel[...])()
    assert np.std(kernel) == pytest.approx(np.sqrt(2 / (2 * 2 * kernel.shape[2])), rel=0.05)


def test_logit_is_that_of_the_softmax_of_two_classes():
    scores = jnp.asarray(np.random.default_rng(0).normal(size=(1, 2, 2, 2)), jnp.bfloat16)
    softmax = jax.nn.softmax(scores.astype(jnp.float32))[..., 1]
    np.testing.assert_allclose(jax.nn.sigmoid(two_class_logit(scores)), softmax, rtol=1e-5)


def test_parameter_count_is_the_hand_count():
    conv6 = (9 * 512 * 1024 + 1024) + (9 * 1024 * 1024 + 1024)
    squeeze = 1024 * 512 + 512
    mix = 9 * (512 + 961) * 1024 + 1024
    blocks = sum(
        (16 * i * o + o) + 2 * (9 * o * o + o)
        for i, o in [(1024, 512), (512, 512), (512, 256), (256, 128), (128, 64)]
    )
    classes = 9 * 64 * 2 + 2
    hand = 14_714_688 + conv6 + squeeze + mix + blocks + classes
    assert twins.count(build) == hand == 69_299_970
    assert twins.parameters(build)[('encoder', 'layers', 'conv5_3', 'kernel')] == (3, 3, 512, 512)


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_masks_have_the_images_size_and_are_float32(dtype):
    seen, masks = twins.trace(lambda: build(dtype=dtype), 512, 224)
    assert seen.features.shape == (2, 16, 7, 1024)
    assert seen.squeezed.shape == (2, 16, 7, 512)
    assert seen.features.dtype == dtype
    assert masks.shape == (2, 512, 224)
    assert masks.dtype == jnp.float32


def plain_forward(model, images, compared):
    def run(form, layer, x):
        return form(x, layer.kernel[...], layer.bias[...])

    def leaky(x):
        return jnp.where(x > 0, x, 0.2 * x)

    x = vgg16.ENCODER.normalize(images, jnp.dtype('float32'))
    for block in vgg16.BLOCKS:
        for name, _ in block:
            x = leaky(run(plain_conv, model.encoder.layers[name], x))
        n, h, w, c = x.shape
        x = x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))
    features = leaky(run(plain_conv, model.conv6_2, leaky(run(plain_conv, model.conv6_1, x))))
    x = jnp.concatenate([run(plain_conv, model.squeeze, features), compared], -1)
    x = leaky(run(plain_conv, model.mix, x))
    for number in range(1, 6):
        x = leaky(run(plain_deconv, model.decoder[f'deconv{number}'], x))
        x = leaky(run(plain_conv, model.decoder[f'conv{number}_1'], x))
        x = leaky(run(plain_conv, model.decoder[f'conv{number}_2'], x))
    scores = run(plain_conv, model.classes, x)
    return features, scores[..., 1] - scores[..., 0]


def test_forward_and_its_twin_equal_plain_convolutions_and_the_loop(small):
    seen, masks, alone = twins.see(small)
    assert np.abs(masks - alone).max() > 1e-3

    maps = np.asarray(seen.features)
    compared = correlate_by_loop(maps, maps[::-1], 15).astype(np.float32)
    features, want = jax.jit(lambda images: plain_forward(small, images, compared))(twins.photos(2))
    np.testing.assert_allclose(seen.features, features, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(masks, want, rtol=1e-3, atol=1e-4)


def test_gradients_reach_every_parameter(small):
    assert twins.unreached(small) == []


def test_a_side_that_is_no_multiple_of_32_is_refused(small):
    with pytest.raises(UserError, match='multiple of 32'):
        small.describe(jnp.zeros((1, 64, 50, 3), jnp.uint8))
