"""The published weights themselves; set COSEGNET_VGG16 to a file of them to run this."""

import os

import numpy as np
import pytest

from cosegnet_jax.networks.encoders.vgg16 import BLOCKS
from cosegnet_jax.weights import load_vgg16


@pytest.fixture(scope='module')
def weights():
    if not (path := os.environ.get('COSEGNET_VGG16')):
        pytest.skip('set COSEGNET_VGG16 to a VGG16 weights file')
    return load_vgg16(path)


def test_every_layer_is_there_with_finite_weights(weights):
    cin = 3
    for name, cout in (layer for block in BLOCKS for layer in block):
        assert weights[name]['kernel'].shape == (3, 3, cin, cout)
        assert weights[name]['bias'].shape == (cout,)
        assert np.isfinite(weights[name]['kernel']).all()
        assert weights[name]['kernel'].std() > 0
        cin = cout
    assert len(weights) == 13


def test_first_layer_sees_edges_more_than_brightness(weights):
    """Most filters of a trained first layer all but cancel on an even patch, and not on its edge."""
    kernel = weights['conv1_1']['kernel'].sum(axis=2)  # gray input
    even = np.abs(kernel.sum(axis=(0, 1)))
    edge = np.maximum(
        np.abs(kernel[0].sum(axis=0) - kernel[2].sum(axis=0)),
        np.abs(kernel[:, 0].sum(axis=0) - kernel[:, 2].sum(axis=0)),
    )
    assert (edge > 3 * even).mean() > 0.5
