import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy import signal

from cosegnet_jax import networks
from cosegnet_jax.config import Model
from cosegnet_jax.networks import decoder
from cosegnet_jax.networks.encoders import vgg16
from cosegnet_jax.networks.layers import Conv3x3
from cosegnet_jax.runtime.errors import UserError

SMALL = Model(width=1 / 64, weights='none')


@pytest.fixture(scope='module')
def small():
    return nnx.merge(
        networks.graph(SMALL), jax.jit(lambda: nnx.to_pure_dict(nnx.state(networks.build(SMALL, 0))))()
    )


def photos(count: int, side: int = 32) -> jax.Array:
    return jnp.asarray(np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8))


def test_parameter_count_is_the_hand_count():
    params = nnx.state(nnx.eval_shape(lambda: networks.build(Model(), 0)), nnx.Param)
    vgg = sum(9 * i * o + o for i, o in [
        (3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256),
        (256, 512), *[(512, 512)] * 5])  # fmt: skip
    decoder_convs = sum(9 * i * o + o for i, o in [
        *[(512, 512)] * 6, (512, 256), (256, 256), (256, 256),
        (256, 128), (128, 128), (128, 64), (64, 1)])  # fmt: skip
    heads = (256 * 128 + 128) + (128 * 64 + 64) + (128 * 32 + 32) + (32 + 1)
    assert vgg == 14_714_688  # as published for VGG16 without its top
    assert sum(x.size for x in jax.tree.leaves(params)) == vgg + decoder_convs + heads == 31_795_906


def test_multiply_accumulates_per_image_are_the_hand_count():
    """Counted from what each layer is given and gives, on abstract 224×224 images."""
    counts = []

    def count(layer, x):
        y_side = x.shape[1] * (2 if layer.upsample else 1)
        cin, cout = layer.kernel.shape[2:]
        counts.append(y_side**2 * 9 * cin * cout)
        return jnp.zeros((x.shape[0], y_side, y_side, cout), x.dtype)

    def run(images):
        model = networks.build(Model(), 0)
        description = model.describe(images)
        return model.masks(description)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Conv3x3, '__call__', count)
        out = nnx.eval_shape(run, jax.ShapeDtypeStruct((1, 224, 224, 3), jnp.uint8))
    assert out.shape == (1, 224, 224)
    assert len(counts) == 26
    assert sum(counts) == pytest.approx(39e9, rel=0.01)


@pytest.mark.parametrize('tap', decoder.TAPS)
def test_every_tap_gives_masks_at_the_images_size_and_an_embedding(tap):
    config = Model(tap=tap, weights='none')

    def run(images):
        model = networks.build(config, 0)
        description = model.describe(images)
        return description, model.masks(description)

    description, masks = nnx.eval_shape(run, jax.ShapeDtypeStruct((2, 224, 224, 3), jnp.uint8))
    expected = {'f': (7, 512), 'cT3': (14, 512), 'cT6': (28, 512), 'cT9': (56, 256), 'cT11': (112, 128)}[tap]
    assert description.tap.shape == (2, expected[0], expected[0], expected[1])
    assert description.fu.shape == (2, expected[1])
    assert description.embedding.shape == (2, 64)
    assert masks.shape == (2, 224, 224)


def test_forward_equals_plain_scipy(small):
    """Every layer again, by scipy's 2-D correlation, from the paper's description."""
    rng = np.random.default_rng(1)
    graph, params = nnx.split(small)
    # Random biases: zero ones would hide a bias that is added in the wrong place.
    params = jax.tree.map(lambda p: p + rng.normal(0, 0.1, p.shape).astype(np.float32), params)
    model = nnx.merge(graph, params)
    image = photos(1, 64)
    description = model.describe(image)
    logits = model.masks(description)

    def conv(x, layer):
        kernel, bias = np.asarray(layer.kernel[...], np.float64), np.asarray(layer.bias[...], np.float64)
        out = [
            sum(signal.correlate2d(x[..., i], kernel[..., i, o], mode='same') for i in range(x.shape[-1]))
            + bias[o]
            for o in range(kernel.shape[-1])
        ]
        return np.stack(out, -1)

    x = (np.asarray(image[0]) - np.array([123.68, 116.779, 103.939])) / np.array([58.395, 57.12, 57.375])
    for block in (
        ('1_1', '1_2'),
        ('2_1', '2_2'),
        ('3_1', '3_2', '3_3'),
        ('4_1', '4_2', '4_3'),
        ('5_1', '5_2', '5_3'),
    ):
        for name in block:
            x = np.maximum(conv(x, model.encoder.layers['conv' + name]), 0)
        h, w, c = x.shape
        x = x.reshape(h // 2, 2, w // 2, 2, c).max((1, 3))
    assert x.shape[:2] == (2, 2)
    for number in range(1, 14):
        if number in (1, 4, 7, 10, 12):
            x = np.kron(x, np.ones((2, 2, 1)))
        x = conv(x, model.decoder.layers[f'cT{number}'])
        if number < 13:
            x = np.maximum(x, 0)
        if number == 9:
            fu = x.mean((0, 1))

    dense = lambda x, layer: x @ np.asarray(layer.kernel[...], np.float64) + np.asarray(layer.bias[...])  # noqa: E731
    fs = dense(np.maximum(dense(fu, model.metric.fc1), 0), model.metric.fc2)
    pair = dense(np.maximum(dense(np.concatenate([fs, -fs]), model.decision.fc1), 0), model.decision.fc2)[0]
    np.testing.assert_allclose(logits[0], x[..., 0], rtol=2e-4, atol=1e-5)
    np.testing.assert_allclose(description.embedding[0], fs, rtol=2e-4, atol=1e-5)
    np.testing.assert_allclose(
        model.decision(description.embedding[0], -description.embedding[0]), pair, rtol=1e-3
    )


def test_swapping_the_pair_swaps_the_masks(small):
    images = photos(2)
    there, back = small.describe(images), small.describe(images[::-1])
    np.testing.assert_array_equal(small.masks(there)[::-1], small.masks(back))
    np.testing.assert_array_equal(there.embedding[::-1], back.embedding)
    # The decision depends on the order, as in the paper.
    a, b = there.embedding
    assert small.decision(a, b) != small.decision(b, a)


def test_table_is_the_decision_of_every_pair(small):
    rng = np.random.default_rng(2)
    rows, columns = (jnp.asarray(rng.normal(size=(count, 64)), jnp.float32) for count in (3, 5))
    table = small.decision.table(rows, columns)
    for i, j in np.ndindex(3, 5):
        assert table[i, j] == pytest.approx(float(small.decision(rows[i], columns[j])), rel=1e-4, abs=1e-5)


def test_bfloat16_computes_near_float32_and_answers_in_float32(small):
    half = nnx.merge(networks.graph(dataclasses.replace(SMALL, dtype='bfloat16')), nnx.state(small))
    images = photos(2, 64)
    full, low = small.describe(images), half.describe(images)
    assert low.tap.dtype == jnp.bfloat16
    assert low.embedding.dtype == half.masks(low).dtype == jnp.float32
    np.testing.assert_allclose(low.embedding, full.embedding, atol=0.1 * float(jnp.abs(full.embedding).max()))


@pytest.mark.parametrize(('height', 'width'), [(224, 225), (48, 64), (16, 32)])
def test_a_side_that_is_no_multiple_of_32_is_refused(small, height, width):
    with pytest.raises(UserError, match=r'multiple of 32; use for example'):
        small.describe(jnp.zeros((1, height, width, 3), jnp.uint8))


def test_normalize_centers_the_mean_pixel():
    gray = jnp.broadcast_to(jnp.round(jnp.array(vgg16.MEAN)), (1, 32, 32, 3)).astype(jnp.uint8)
    assert np.abs(vgg16.ENCODER.normalize(gray, jnp.dtype('float32'))).max() < 0.01
