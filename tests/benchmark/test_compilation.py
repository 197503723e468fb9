import dataclasses
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from cosegnet_jax import config as configs
from cosegnet_jax.benchmark import compilation, counting
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import optimizer, state

pytestmark = pytest.mark.slow

SMALL = configs.Config(
    image_size=32,
    model=configs.Model(width=1 / 64, weights='none'),
    train=configs.Train(batch_triplets=16),
)
ROOT = Path(__file__).parents[2]

HLO = """
%inside (p: f32[8]) -> f32[8] {
  %p = f32[8]{0} parameter(0)
  ROOT %all-reduce.1 = f32[8]{0:T(128)S(1)} all-reduce(%p), channel_id=1, to_apply=%add
}
ENTRY %main (a: f32[2,3]) -> f32[2,3] {
  %two = (bf16[4,128]{1,0:T(8,128)(2,1)}, /*index=1*/f32[]{:T(128)}) all-reduce(%a, %b), to_apply=%add
  %begun = (f32[2]{0}, f32[8]{0}) all-gather-start(%c), dimensions={0}
  %ended = f32[8]{0} all-gather-done(%begun)
  %flags = pred[1024]{0} collective-permute(%d), source_target_pairs={{0,1}}
  %mine = f32[1024]{0} fusion(%ended), kind=kLoop, metadata={op_name="jit(step)/all-reduce(f32[9])"}
}
"""


@pytest.fixture(scope='module')
def row():
    [row] = compilation.present(SMALL, 1, 1)
    return row


def test_collectives_are_counted_by_kind_with_the_bytes_of_their_results():
    assert compilation.collectives(HLO) == {
        'all_reduce_count': 2,
        'all_reduce_mib': (8 * 4 + 4 * 128 * 2 + 4) / 2**20,
        'all_gather_count': 1,  # the second of the pair
        'all_gather_mib': 8 * 4 / 2**20,
        'collective_permute_count': 1,
        'collective_permute_mib': 1024 / 2**20,
    }


def gradients_mib():
    params = jax.eval_shape(lambda: state.random_params(SMALL.model, 0))
    return sum(x.size * 4 for x in jax.tree.leaves(params)) / 2**20


def test_the_devices_exchange_all_gradients_once(row):
    assert row['all_reduce_count'] >= 1
    assert gradients_mib() <= row['all_reduce_mib'] < 1.5 * gradients_mib()  # the rest is of embeddings


def test_what_is_exchanged_to_compare_images_grows_with_their_number_and_not_with_its_square():
    def exchanged_mib(triplets):
        config = dataclasses.replace(
            SMALL, loss=configs.Loss(negatives='semi_hard'), train=configs.Train(batch_triplets=triplets)
        )
        row = compilation.compile_step(config, compilation.meshes.data_mesh())
        return sum(size for name, size in row.items() if name.endswith('_mib')) - gradients_mib()

    few = exchanged_mib(128)
    assert 0 < exchanged_mib(512) < 4.2 * few


def test_a_row_is_of_one_of_the_devices(row):
    assert (row['device'], row['devices']) == ('cpu', 8)
    assert (row['images'], row['images_per_device']) == (48, 6)
    macs = counting.count(SMALL.model, 32, as_drawn=False)
    assert row['needed_flops'] == counting.train_step(macs, images=6, masks=4)
    assert row['needed_flops'] < row['model_flops']


def test_memory_holds_the_state_once_and_the_batch(row):
    """The new state takes the place of the old; 12 bytes an image are its label, number and class."""
    update = optimizer.build(SMALL, SMALL.train.steps)
    current = jax.eval_shape(lambda: state.random(SMALL, update, compilation.meshes.data_mesh()))
    held = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(current)) + 6 * (32 * 32 * 4 + 8)
    assert row['arguments_gib'] * 2**30 == pytest.approx(held, rel=0.02)
    outputs = row['memory_gib'] - row['arguments_gib'] - row['temporaries_gib']
    assert 0 <= outputs * 2**30 < 0.1 * held


@pytest.mark.skipif(importlib.util.find_spec('libtpu') is not None, reason='libtpu is installed')
def test_without_the_compiler_it_says_how_to_get_it(monkeypatch):
    monkeypatch.delenv('TPU_LIBRARY_PATH', raising=False)
    with pytest.raises(UserError, match=r"--topology=v5e:2x2 needs libtpu; pip install -e '.\[tpu\]'"):
        next(compilation.ahead(SMALL, 'compile', 'v5e:2x2'))


@pytest.mark.skipif(importlib.util.find_spec('libtpu') is None, reason='libtpu is not installed')
@pytest.mark.parametrize(('topology', 'chips'), [('v5e:1x1', 1), ('v5e:4x4', 16), ('v5p:2x2x1', 4)])
def test_slices_of_one_chip_and_of_many_are_known(topology, chips):
    assert compilation.described_mesh(topology).size == chips


def test_an_unknown_slice_is_refused_in_one_line(monkeypatch):
    def unknown(name: str, platform: str, **host: tuple):
        raise jax.errors.JaxRuntimeError('INVALID_ARGUMENT: no v5e:9x9\nmore')

    monkeypatch.setattr(compilation.topologies, 'get_topology_desc', unknown)
    with pytest.raises(UserError) as error:
        next(compilation.ahead(SMALL, 'compile', 'v5e:9x9'))
    assert str(error.value).startswith('--topology=v5e:9x9: no such slice of TPUs')
    assert '\n' not in str(error.value)


def test_a_slice_is_only_compiled_for():
    done = subprocess.run(
        [
            sys.executable,
            '-m',
            'cosegnet_jax',
            'benchmark',
            '--config=configs/shapes.py',
            '--mode=train',
            '--topology=v5e:2x2',
        ],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, '')
    assert '--topology=v5e:2x2: only --mode=compile and --mode=compile_eval read it' in done.stderr


def test_describing_is_compiled_at_the_size_of_prediction():
    config = dataclasses.replace(
        SMALL, evaluation=dataclasses.replace(SMALL.evaluation, batch_images=16, image_size=64)
    )
    row = compilation.compile_describing(config, meshes.data_mesh())
    assert (row['images'], row['size'], row['images_per_device']) == (16, 64, 16 / row['devices'])
    assert row['flops'] > 0
    assert 'all_reduce_count' not in row  # devices have nothing to say to each other


def test_networks_of_pairs_have_no_description_to_compile():
    config = dataclasses.replace(SMALL, model=dataclasses.replace(SMALL.model, name='base'))
    with pytest.raises(UserError, match=r'config.model.name=base: makes masks of pairs'):
        compilation.compile_describing(config, meshes.data_mesh())
