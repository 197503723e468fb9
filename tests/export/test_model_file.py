import dataclasses
import json
import os

import jax
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from untrained_runs import SMALL, random_params

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.export import model_file
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError

KERNEL = 'encoder.layers.conv1_1.kernel'


def read(path):
    return model_file.read(path, meshes.data_mesh())


def test_one_file_is_all_that_was_exported(tmp_path, network):
    model_file.write(tmp_path / 'model.safetensors', network, 'float32')
    found = read(tmp_path / 'model.safetensors')
    jax.tree.map(np.testing.assert_array_equal, found.params, network.params)
    about = ('config', 'step', 'dataset', 'images')
    assert [getattr(found, name) for name in about] == [getattr(network, name) for name in about]
    assert (found.step, found.config, found.dataset, found.images) == (0, SMALL, 'spots', 1)
    assert all(len(leaf.sharding.device_set) == 8 for leaf in jax.tree.leaves(found.params))


@pytest.mark.parametrize('umask', [0o022, 0o077, 0o002])
def test_others_may_read_the_file_as_far_as_the_umask_allows(tmp_path, network, umask):
    before = os.umask(umask)
    try:
        model_file.write(tmp_path / 'm', network, 'float32')
    finally:
        os.umask(before)
    assert (tmp_path / 'm').stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_file_that_may_not_be_read_is_not_called_missing(tmp_path, network, monkeypatch):
    model_file.write(tmp_path / 'm', network, 'float32')

    def refuse(path, mode):  # root may read all files
        raise PermissionError(13, 'Permission denied', str(path))

    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), 'open', refuse)
        with pytest.raises(UserError, match=r'm: cannot be read \(Permission denied\); give a file that can'):
            read(tmp_path / 'm')
    with pytest.raises(UserError, match=r'nowhere: cannot be read \(No such file or directory\)'):
        read(tmp_path / 'nowhere')


def test_a_bit_that_was_lost_on_the_way_is_noticed_wherever_it_was(tmp_path, network):
    model_file.write(tmp_path / 'm', network, 'float32')
    data = (tmp_path / 'm').read_bytes()
    dataset = data.index(b'spots')
    for place in (dataset, len(data) - 1, len(data) // 2):
        (tmp_path / 'm').write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(UserError, match=r'm: damaged \(its checksum is of other content\); get it again'):
            read(tmp_path / 'm')


def test_a_file_without_a_checksum_is_refused(tmp_path, network):
    model_file.write(tmp_path / 'm', network, 'float32')
    with safe_open(tmp_path / 'm', 'np') as file:
        about = json.loads(file.metadata()['cosegnet_jax'])
    del about['sha256']
    save_file(load_file(tmp_path / 'm'), tmp_path / 'm', {'cosegnet_jax': json.dumps(about)})
    with pytest.raises(UserError, match=r'm: damaged \(its checksum is of other content\); get it again'):
        read(tmp_path / 'm')


def test_parameters_are_found_under_their_place_in_the_network(tmp_path, network):
    model_file.write(tmp_path / 'm', network, 'float32')
    arrays = load_file(tmp_path / 'm')
    kernel = network.params['encoder']['layers']['conv1_1']['kernel']
    np.testing.assert_array_equal(arrays[KERNEL], kernel)
    assert arrays.keys() >= {'decoder.layers.cT13.bias', 'metric.fc2.kernel', 'decision.fc1.bias'}


def test_half_of_the_space_holds_the_parameters_rounded_to_float16(tmp_path, network):
    for stored in ('float32', 'float16'):
        model_file.write(tmp_path / stored, network, stored)
    sizes = [(tmp_path / stored).stat().st_size for stored in ('float16', 'float32')]
    numbers = sum(leaf.size for leaf in jax.tree.leaves(network.params))
    assert sizes[1] - sizes[0] == pytest.approx(2 * numbers, rel=0.01)  # offsets have fewer digits, too
    found = read(tmp_path / 'float16').params
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {np.dtype('float32')}
    jax.tree.map(
        lambda ours, exact: np.testing.assert_array_equal(ours, np.asarray(exact).astype(np.float16)),
        found,
        network.params,
    )
    assert np.any(found['encoder']['layers']['conv1_1']['kernel'] != load_file(tmp_path / 'float32')[KERNEL])


def test_what_tells_of_the_machine_stays_there(tmp_path):
    data = configs.Data('mine', '/home/anna/cows', '/home/anna/sets', split_file='/home/anna/split.json')
    model = dataclasses.replace(SMALL.model, weights='/home/anna/vgg16.npz')
    config = dataclasses.replace(SMALL, data=data, model=model)
    trained = networks.trained(
        config, random_params(config), meshes.data_mesh(), step=3, dataset='mine', images=2
    )
    network = model_file.release(trained)
    model_file.write(tmp_path / 'm', network, 'float32')
    content = (tmp_path / 'm').read_bytes()
    assert b'anna' not in content
    found = read(tmp_path / 'm')
    assert (found.step, found.dataset, found.images) == (3, 'mine', 2)
    assert (found.config.data.root, found.config.model.weights) == ('cows', 'vgg16.npz')


@pytest.mark.parametrize(
    ('value', 'stored', 'message'),
    [
        (
            1e5,
            'float16',
            rf'{KERNEL} that are no finite float16 numbers; .*, or leave --half',
        ),
        (np.nan, 'float32', rf'{KERNEL} that are no finite float32 numbers; export another step$'),
    ],
)
def test_parameters_that_are_no_numbers_are_not_given_away(tmp_path, network, value, stored, message):
    params = jax.tree.map(np.array, network.params)
    params['encoder']['layers']['conv1_1']['kernel'][0, 0, 0, 0] = value
    with pytest.raises(UserError, match=message):
        model_file.write(tmp_path / 'm', dataclasses.replace(network, params=params), stored)
    assert not (tmp_path / 'm').exists()


def described(**changes):
    def change(arrays, about):
        about |= changes
        return arrays

    return change


def with_config(**changes):
    def change(arrays, about):
        about['config']['model'] |= changes
        return arrays

    return change


def without(arrays, about):
    return {name: array for name, array in arrays.items() if name != KERNEL}


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (without, f"has no '{KERNEL}', unlike the network of its config"),
        (lambda arrays, _: arrays | {'more': np.zeros(2)}, "has 'more' too"),
        (lambda arrays, _: arrays | {KERNEL: arrays[KERNEL][..., 1:]}, r'of shape \(3, 3, 3, 3\) instead of'),
        (
            lambda arrays, _: arrays | {KERNEL: arrays[KERNEL].astype(int)},
            'of type I64 instead of F32 or F16',
        ),
        (with_config(width=1 / 32), r'of shape .* instead of'),
        (with_config(name='base'), r'config\.model\.name=base, whose masks depend on the pair'),
        (with_config(depth=3), r'written by another version, cosegnet_jax .*model\.depth: no such key'),
        (described(format=2, version='9.1'), 'of format 2, and this .* format 1; use cosegnet_jax 9.1'),
        (described(step='last'), 'its description is damaged'),
        (described(config='small'), 'its description is damaged'),
    ],
    ids=['missing', 'further', 'shape', 'type', 'width', 'pairs', 'key', 'format', 'step', 'no config'],
)
def test_a_file_that_does_not_hold_its_network_is_refused_in_one_line(tmp_path, network, change, message):
    path = tmp_path / 'm'
    model_file.write(path, network, 'float32')
    with safe_open(path, framework='np') as file:
        about = json.loads(file.metadata()['cosegnet_jax'])
    arrays = change(load_file(path), about)
    save_file(arrays, path, {'cosegnet_jax': json.dumps(about)})
    check_refused(path, message)


def test_other_files_are_refused_in_one_line(tmp_path, network):
    path = tmp_path / 'm'
    check_refused(path, 'cannot be read .*No such file')
    path.write_text('no model at all')
    check_refused(path, 'cannot be read .*; get it again')
    model_file.write(path, network, 'float32')
    path.write_bytes(path.read_bytes()[:-100])
    check_refused(path, 'cannot be read .*; get it again')
    save_file({KERNEL: np.zeros((3, 3, 3, 4), np.float32)}, path)
    check_refused(path, 'not a model of cosegnet_jax')
    save_file({KERNEL: np.zeros((3, 3, 3, 4), np.float32)}, path, {'cosegnet_jax': '{'})
    check_refused(path, 'its description is damaged')


def check_refused(path, message):
    with pytest.raises(UserError, match=message) as raised:
        read(path)
    assert str(raised.value).startswith(f'{path}: ')
    assert '\n' not in str(raised.value)
