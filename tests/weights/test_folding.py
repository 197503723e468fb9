import numpy as np
import pytest

from cosegnet_jax.networks.encoders.vgg16 import MEAN, STD
from cosegnet_jax.weights.folding import CAFFE, TORCHVISION, ConvWeights, InputConvention, fold_input


def conv(x, weights, padding):
    """3×3 convolution in float64 on one image (h, w, 3) surrounded by the values `padding` (3)."""
    framed = np.empty((x.shape[0] + 2, x.shape[1] + 2, 3))
    framed[:] = padding
    framed[1:-1, 1:-1] = x
    windows = np.lib.stride_tricks.sliding_window_view(framed, (3, 3), axis=(0, 1))
    return np.einsum('yxihw,hwio->yxo', windows, weights.kernel.astype(np.float64)) + weights.bias


@pytest.fixture
def layer():
    rng = np.random.default_rng(1)
    return ConvWeights(
        kernel=rng.normal(size=(3, 3, 3, 8)).astype(np.float32),
        bias=rng.normal(size=8).astype(np.float32),
    )


@pytest.fixture
def photo():
    return np.random.default_rng(2).integers(0, 256, (9, 11, 3)).astype(np.float64)  # RGB


def on_z(photo, layer, convention):
    return conv((photo - MEAN) / STD, fold_input(layer, convention), padding=0)


def test_caffe_layer_is_the_same_everywhere_border_included(photo, layer):
    original = conv(photo[..., ::-1] - (103.939, 116.779, 123.68), layer, padding=0)
    np.testing.assert_allclose(on_z(photo, layer, CAFFE), original, rtol=1e-4, atol=1e-4)


def test_torchvision_layer_is_the_same_inside_the_image(photo, layer):
    original = conv((photo / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225), layer, padding=0)
    folded = on_z(photo, layer, TORCHVISION)
    np.testing.assert_allclose(folded[1:-1, 1:-1], original[1:-1, 1:-1], rtol=1e-4, atol=1e-5)


def test_torchvision_border_differs_by_a_padding_of_less_than_half_a_gray_level(photo, layer):
    mean, std = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))
    padding = (np.array(MEAN) / 255 - mean) / std
    assert 0 < np.abs(padding * std * 255).max() < 0.5
    original = conv((photo / 255 - mean) / std, layer, padding=0)
    padded_with_our_gray = conv((photo / 255 - mean) / std, layer, padding)
    folded = on_z(photo, layer, TORCHVISION)
    np.testing.assert_allclose(folded, padded_with_our_gray, rtol=1e-4, atol=1e-5)
    assert 0 < np.abs(folded - original).max() < 0.02 * original.std()


def test_layer_of_our_own_convention_stays_as_it_is(layer):
    folded = fold_input(layer, InputConvention('RGB', MEAN, STD))
    np.testing.assert_array_equal(folded.kernel, layer.kernel)
    np.testing.assert_array_equal(folded.bias, layer.bias)
