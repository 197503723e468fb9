"""Small VGG16s: full shapes, but zeros in most layers, so that files are quick to write."""

import numpy as np
import pytest

from cosegnet_jax.networks.encoders.vgg16 import BLOCKS


@pytest.fixture(scope='session')
def caffe_weights():
    """Kernels (HWIO) and biases by layer; conv1_1 and conv3_2 are random."""
    rng = np.random.default_rng(0)
    weights, cin = {}, 3
    for name, cout in (layer for block in BLOCKS for layer in block):
        kernel, bias = np.zeros((3, 3, cin, cout), np.float32), np.zeros(cout, np.float32)
        if name in ('conv1_1', 'conv3_2'):
            kernel, bias = (rng.normal(size=a.shape).astype(np.float32) for a in (kernel, bias))
        weights[name], cin = (kernel, bias), cout
    return weights
