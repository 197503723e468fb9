import dataclasses

import jax
import numpy as np
import pytest
from untrained_runs import SMALL

from cosegnet_jax.export import model_file, starting
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import optimizer, state


def starting_from(place, model=None, data=None, **changes):
    model = dataclasses.replace(SMALL.model, weights=str(place), **(model or {}))
    return dataclasses.replace(
        SMALL, model=model, data=dataclasses.replace(SMALL.data, **(data or {})), **changes
    )


@pytest.fixture
def file(tmp_path, network):
    model_file.write(tmp_path / 'model.safetensors', network, 'float32')
    return tmp_path / 'model.safetensors'


def test_a_run_starts_from_every_part_of_a_trained_network(file, run_folder, network):
    mesh = meshes.data_mesh()
    for place in (file, file.parent, run_folder):
        config = starting_from(place)
        known = starting.begin(config, mesh)
        first = state.initial(config, known.params, optimizer.build(config, 1), mesh)
        jax.tree.map(np.testing.assert_array_equal, first.params, network.params)
        assert known.dataset == 'spots'


def test_without_a_network_it_starts_from_published_weights_or_none():
    assert starting.begin(starting_from('none'), meshes.data_mesh()) == state.Beginning({})
    with pytest.raises(UserError, match='no such file; it should be'):
        starting.begin(starting_from('nowhere.npz', model={'width': 1.0}), meshes.data_mesh())


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'model': {'name': 'pyramid'}}, r'model\.name=cosegnet, not pyramid; set that key to cosegnet$'),
        ({'model': {'width': 1 / 32}}, r'config\.model\.width=0\.015625, not 0\.03125; set that key to'),
        ({'model': {'decoder_start': 'identity'}}, 'nothing reads it .*; leave it at he_normal$'),
        ({'model': {'feature_scale': 0.5}}, 'nothing reads it .*; leave it at 1.0$'),
        ({'data': {'name': 'spots', 'split': 1}}, r'data\.split=1: .* photos of your test part; .* to 0$'),
        ({'data': {'name': 'spots'}, 'seed': 3}, r'config\.seed=3: .* was trained on spots with 0'),
    ],
    ids=['network', 'width', 'decoder start', 'feature scale', 'split', 'seed'],
)
def test_a_network_that_does_not_fit_is_refused_in_one_line(file, changes, message):
    with pytest.raises(UserError, match=message) as raised:
        starting.begin(starting_from(file, **changes), meshes.data_mesh())
    assert '\n' not in str(raised.value)


def test_the_same_split_of_the_same_set_is_accepted(file):
    config = starting_from(file, data={'name': 'spots'})
    assert starting.begin(config, meshes.data_mesh()).dataset == 'spots'
