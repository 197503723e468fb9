import itertools

import h5py
import numpy as np
import pytest
import safetensors.numpy

from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.weights import load_vgg16, recognition
from cosegnet_jax.weights.folding import CAFFE, TORCHVISION, ConvWeights, fold_input

TORCH_POSITIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)


def write_npz(path, weights):
    kernels = {f'{name}_W': kernel for name, (kernel, _) in weights.items()}
    biases = {f'{name}_b': bias for name, (_, bias) in weights.items()}
    with path.open('wb') as file:  # a name would get the ending .npz
        np.savez(file, **kernels, **biases)


def write_safetensors(path, weights):
    tensors = {'classifier.6.bias': np.zeros(1000, np.float32)}
    for i, (kernel, bias) in zip(TORCH_POSITIONS, weights.values(), strict=False):
        tensors[f'features.{i}.weight'] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        tensors[f'features.{i}.bias'] = bias
    safetensors.numpy.save_file(tensors, path)


def keras_layer(name):
    return f'block{name[4]}_conv{name[6]}'


def write_keras_notop(path, weights):
    """The layout of the published file, of Keras 1."""
    with h5py.File(path, 'w') as file:
        for name, (kernel, bias) in weights.items():
            layer = keras_layer(name)
            file[f'{layer}/{layer}_W_1:0'], file[f'{layer}/{layer}_b_1:0'] = kernel, bias
        file.create_group('block5_pool')


def write_keras_model(path, weights):
    """A whole compiled model, with the fully connected layers and the optimizer's moments."""
    with h5py.File(path, 'w') as file:
        for name, (kernel, bias) in weights.items():
            layer = keras_layer(name)
            group = file.create_group(f'model_weights/{layer}/{layer}')
            group['kernel:0'], group['bias:0'] = kernel, bias
        file['model_weights/fc1/fc1/kernel:0'] = np.zeros((4, 4), np.float32)
        file['optimizer_weights/sgd/block1_conv1/kernel/momentum:0'] = np.ones((3, 3, 3, 64), np.float32)


def write_keras_3(path, weights):
    """Keras 3's own .weights.h5, which counts the layers of each class."""
    with h5py.File(path, 'w') as file:
        for i, (kernel, bias) in enumerate(weights.values()):
            group = f'layers/conv2d_{i}' if i else 'layers/conv2d'
            file[f'{group}/vars/0'], file[f'{group}/vars/1'] = kernel, bias
        file['layers/dense/vars/0'] = np.zeros((4, 4), np.float32)


def check(loaded, weights, convention):
    assert list(loaded) == list(weights)
    first = fold_input(ConvWeights(*weights['conv1_1']), convention)
    for name, (kernel, bias) in (weights | {'conv1_1': (first.kernel, first.bias)}).items():
        assert loaded[name]['kernel'].dtype == loaded[name]['bias'].dtype == np.float32
        np.testing.assert_array_equal(loaded[name]['kernel'], kernel, err_msg=name)
        np.testing.assert_array_equal(loaded[name]['bias'], bias, err_msg=name)


@pytest.mark.parametrize(
    ('name', 'write', 'convention'),
    [
        ('vgg16.npz', write_npz, CAFFE),
        ('vgg16.safetensors', write_safetensors, TORCHVISION),
        ('notop.h5', write_keras_notop, CAFFE),
        ('model.h5', write_keras_model, CAFFE),
        ('vgg16.weights.h5', write_keras_3, CAFFE),
    ],
)
def test_every_layer_arrives_in_hwio_and_the_first_is_folded(
    name, write, convention, caffe_weights, tmp_path
):
    write(tmp_path / name, caffe_weights)
    check(load_vgg16(str(tmp_path / name)), caffe_weights, convention)


def refusal(spec):
    """The one line that a user reads when `spec` is refused."""
    with pytest.raises(UserError) as caught:
        load_vgg16(str(spec))
    assert '\n' not in str(caught.value)
    return str(caught.value)


def beginning(weights):
    """The first four layers: a light file, for tests that need no more."""
    return dict(itertools.islice(weights.items(), 4))


def test_half_precision_becomes_float32(caffe_weights, tmp_path):
    half = {name: (k.astype(np.float16), b.astype(np.float16)) for name, (k, b) in caffe_weights.items()}
    write_npz(tmp_path / 'half.npz', half)
    loaded = load_vgg16(str(tmp_path / 'half.npz'))
    assert loaded['conv3_2']['kernel'].dtype == np.float32
    np.testing.assert_array_equal(loaded['conv3_2']['kernel'], half['conv3_2'][0])


@pytest.mark.parametrize('spec', ['imagnet', 'vgg16.bin', 'nowhere/vgg16.h5'])
def test_a_missing_file_is_named_with_what_there_may_be(spec):
    assert f"config.model.weights='{spec}': no such file; it should be 'imagenet', 'none' or" in refusal(spec)


@pytest.mark.parametrize('name', ['w.h5', 'w.npz', 'w.pth', 'w.safetensors', 'w'])
@pytest.mark.parametrize(
    'content', [b'', b'<html>not found</html>' * 100, b'PK\x03\x04', b'\x80\x02', b'\x89HDF']
)
def test_file_of_something_else(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    assert f'{path} cannot be read as weights (' in refusal(path)


@pytest.mark.parametrize(
    ('write', 'convention'),
    [(write_npz, CAFFE), (write_safetensors, TORCHVISION), (write_keras_notop, CAFFE)],
)
def test_the_content_tells_the_kind_of_a_file_and_not_its_name(write, convention, caffe_weights, tmp_path):
    write(tmp_path / 'w.npz', caffe_weights)
    for name in ('w.pth', 'w.h5', 'w.bin', 'w'):
        (tmp_path / 'w.npz').rename(tmp_path / name)
        check(load_vgg16(str(tmp_path / name)), caffe_weights, convention)
        (tmp_path / name).rename(tmp_path / 'w.npz')


def published(caffe_weights):
    """Weights whose first layer sums up as the published one does."""
    kernel = np.random.default_rng(1).normal(size=(3, 3, 3, 64)).astype(np.float32)
    kernel[..., :16] += (recognition._PUBLISHED[::-1] - kernel.sum((0, 1))[:, :16]) / 9  # of B, G and R
    return caffe_weights | {'conv1_1': (kernel, caffe_weights['conv1_1'][1])}


@pytest.mark.parametrize('convention', recognition._CONVENTIONS)
@pytest.mark.parametrize('write', [write_safetensors, write_npz, write_keras_notop])
@pytest.mark.parametrize('change', [0.0, 0.1])
def test_the_published_first_layer_is_read_for_the_input_that_it_was_made_for(
    convention, write, change, caffe_weights, tmp_path, capsys
):
    """As of Caffe's weights under torchvision's names; fine-tuned a little, too."""
    weights = published(caffe_weights)
    kernel, bias = weights['conv1_1']
    expected = fold_input(ConvWeights(kernel, bias), CAFFE).kernel
    order = ['RGB'.index(channel) for channel in convention.channels]
    std = np.array(convention.std, np.float32)[order, np.newaxis]
    noise = change * np.random.default_rng(2).normal(size=kernel.shape).astype(np.float32) / 9
    stored = np.stack([kernel[:, :, 'BGR'.index(channel)] for channel in convention.channels], 2) + noise
    write(tmp_path / 'w', weights | {'conv1_1': (stored * std, bias)})
    loaded = load_vgg16(str(tmp_path / 'w'))['conv1_1']['kernel']
    assert np.abs(loaded - expected).max() <= 58 * np.abs(noise).max() + 1e-3 * np.abs(expected).max()
    assert capsys.readouterr().err == ''


def test_of_another_first_layer_a_line_says_how_its_input_is_read(caffe_weights, tmp_path, capsys):
    write_safetensors(tmp_path / 'w', caffe_weights)
    load_vgg16(str(tmp_path / 'w'))
    (line,) = capsys.readouterr().err.splitlines()
    assert "not the published weights of VGG16; their input is taken for torchvision's (RGB" in line


@pytest.mark.parametrize(
    ('name', 'write'),
    [('v.npz', write_npz), ('v.safetensors', write_safetensors), ('v.h5', write_keras_notop)],
)
def test_truncated_file(name, write, caffe_weights, tmp_path):
    path = tmp_path / name
    write(path, beginning(caffe_weights))
    path.write_bytes(path.read_bytes()[:-100_000])
    assert f'{path} cannot be read' in refusal(path)


def test_npz_with_pickled_objects_is_refused(tmp_path):
    np.savez(tmp_path / 'v.npz', conv1_1_W=np.array([print], dtype=object))
    assert 'allow_pickle' in refusal(tmp_path / 'v.npz')


def test_missing_layer(caffe_weights, tmp_path):
    path = tmp_path / 'v.npz'
    write_npz(path, beginning(caffe_weights))
    assert f"{path} has no 'conv3_1_W'" in refusal(path)


def test_wrong_shape(caffe_weights, tmp_path):
    path = tmp_path / 'v.npz'
    kernel, bias = caffe_weights['conv2_1']
    write_npz(path, beginning(caffe_weights) | {'conv2_1': (kernel[..., :100], bias[:100])})
    assert f"{path} has 'conv2_1_W' of shape (3, 3, 64, 100) instead of (3, 3, 64, 128)" in refusal(path)


def test_wrong_shape_is_told_in_the_axes_of_the_file(caffe_weights, tmp_path):
    path = tmp_path / 'v.safetensors'
    _, bias = caffe_weights['conv1_1']
    write_safetensors(path, {'conv1_1': (np.ones((7, 7, 3, 64), np.float32), bias)})
    assert "'features.0.weight' of shape (64, 3, 7, 7) instead of (64, 3, 3, 3)" in refusal(path)


def test_whole_numbers_are_no_weights(caffe_weights, tmp_path):
    path = tmp_path / 'v.npz'
    kernel, bias = caffe_weights['conv1_2']
    write_npz(path, beginning(caffe_weights) | {'conv1_2': (kernel.astype(np.int8), bias)})
    assert "'conv1_2_W' of type int8" in refusal(path)


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_weights_must_be_finite(value, caffe_weights, tmp_path):
    path = tmp_path / 'v.npz'
    kernel, bias = caffe_weights['conv1_2']
    write_npz(path, beginning(caffe_weights) | {'conv1_2': (kernel, np.full_like(bias, value))})
    assert f"{path} has values in 'conv1_2_b' that are no finite numbers" in refusal(path)


@pytest.mark.parametrize(
    ('name', 'write', 'fourth'),
    [('v.npz', write_npz, 'conv3_4_W'), ('v.h5', write_keras_notop, 'block3_conv4/bias')],
)
def test_vgg19_is_told_from_vgg16_by_its_further_layers(name, write, fourth, caffe_weights, tmp_path):
    path = tmp_path / name
    write(path, caffe_weights | {'conv3_4': caffe_weights['conv3_3']})
    message = refusal(path)
    assert f"has '{fourth}' too" in message
    assert 'pass float weights of VGG16' in message
