import dataclasses
import os
import subprocess
import sys

import jax
import pytest
from untrained_runs import SMALL, random_params

from cosegnet_jax import networks
from cosegnet_jax.runtime import mesh as meshes

FINGERPRINT = """
from untrained_runs import SMALL, random_params
from cosegnet_jax import networks
from cosegnet_jax.runtime import mesh
print(networks.trained(SMALL, random_params(SMALL), mesh.data_mesh()).fingerprint())
"""


@pytest.fixture(scope='module')
def network():
    return networks.trained(SMALL, random_params(SMALL), meshes.data_mesh(), step=3, dataset='spots')


def changed(network, **model):
    model = dataclasses.replace(network.config.model, **model)
    return dataclasses.replace(network, config=dataclasses.replace(network.config, model=model))


def test_where_a_network_came_from_is_not_in_its_fingerprint(network):
    began = changed(network, weights='imagenet', feature_scale=0.5, decoder_start='identity')
    assert network.fingerprint() == began.fingerprint()
    assert network.fingerprint() == dataclasses.replace(network, step=7, dataset='mine').fingerprint()


@pytest.mark.parametrize('model', [{'tap': 'cT6'}, {'dtype': 'bfloat16'}, {'name': 'base'}])
def test_fingerprints_tell_structures_apart(network, model):
    assert network.fingerprint() != changed(network, **model).fingerprint()


def test_fingerprints_tell_parameters_and_image_sizes_apart(network):
    params = jax.tree.map(lambda leaf: leaf + 1, network.params)
    assert network.fingerprint() != dataclasses.replace(network, params=params).fingerprint()
    config = dataclasses.replace(network.config, image_size=64)
    assert network.fingerprint() != dataclasses.replace(network, config=config).fingerprint()


def test_every_process_finds_the_same_fingerprint(network):
    where = os.pathsep.join(sys.path)
    found = subprocess.run(
        [sys.executable, '-c', FINGERPRINT],
        env={**os.environ, 'PYTHONPATH': where},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == [network.fingerprint()]
