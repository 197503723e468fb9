import subprocess
import sys

import numpy as np
import pytest

from campaign import packing
from cosegnet_jax.errors import UserError
from cosegnet_jax.models.vgg16 import BLOCKS
from cosegnet_jax.weights import load_vgg16


def test_the_largest_files_of_too_large_a_folder_are_named(tmp_path):
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data/set.npz').write_bytes(bytes(2**21))
    (tmp_path / 'train.py').write_bytes(bytes(2**18))
    assert packing.check_size(tmp_path, 2.25) == 2.25
    with pytest.raises(
        UserError, match=r'2\.2 MiB, and 2 may be; the largest are data/set\.npz \(2\.0\), train'
    ):
        packing.check_size(tmp_path, 2)


def test_packed_code_runs_by_itself(tmp_path):
    packing.copy_code(tmp_path)
    code = 'import campaign.execute as a, cosegnet_jax.cli as b; print(a.__file__, b.__file__)'
    command = [sys.executable, '-c', code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.count(str(tmp_path)) == 2


def test_half_the_weights_are_the_weights_to_three_digits(tmp_path):
    rng, arrays, cin = np.random.default_rng(0), {}, 3
    for name, cout in (layer for block in BLOCKS for layer in block):
        arrays[f'{name}_W'] = np.zeros((3, 3, cin, cout), np.float32)
        arrays[f'{name}_b'] = rng.standard_normal(cout, np.float32)
        cin = cout
    arrays['conv1_2_W'] = rng.standard_normal((3, 3, 64, 64), np.float32) / 100
    np.savez(tmp_path / 'whole.npz', **arrays)
    packing.halve_weights(tmp_path / 'whole.npz', tmp_path / 'half.npz')
    whole, half = (load_vgg16(str(tmp_path / f'{name}.npz')) for name in ('whole', 'half'))
    np.testing.assert_allclose(half['conv1_2'].kernel, whole['conv1_2'].kernel, rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(half['conv5_3'].bias, whole['conv5_3'].bias, rtol=1e-3, atol=1e-7)
    with np.load(tmp_path / 'half.npz') as held:
        assert {array.dtype for array in held.values()} == {np.dtype(np.float16)}


def test_weights_of_another_kind_are_refused(tmp_path):
    with pytest.raises(UserError, match=r'vgg16\.h5: should end in \.npz'):
        packing.halve_weights(tmp_path / 'vgg16.h5', tmp_path / 'half.npz')
