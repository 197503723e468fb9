import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError


@pytest.fixture(scope='module')
def mesh():
    return meshes.data_mesh()


@pytest.mark.parametrize(('size', 'padded'), [(11, 16), (16, 16), (24, 24)])
def test_rows_are_padded_with_zeros_to_what_the_devices_share(mesh, size, padded):
    rows = np.random.default_rng(0).normal(size=(11, 2)).astype(np.float32)
    placed = meshes.put_padded(mesh, rows, size)
    assert placed.sharding == meshes.batched(mesh)
    assert {shard.data.shape for shard in placed.addressable_shards} == {(padded // 8, 2)}
    np.testing.assert_array_equal(placed[:11], rows)
    np.testing.assert_array_equal(placed[11:], 0)


def test_fetching_leaves_out_what_padded_each_array(mesh):
    rows = np.arange(11)
    fetched = meshes.fetch({'a': meshes.put_padded(mesh, rows, 16), 'b': jnp.ones((16, 3))}, 11)
    np.testing.assert_array_equal(fetched['a'], rows)
    assert fetched['b'].shape == (11, 3)
    assert all(isinstance(part, np.ndarray) for part in jax.tree.leaves(fetched))


def test_a_batch_is_fetched_once_the_next_one_is_under_way(mesh):
    started = []

    def running():
        for number in range(3):
            started.append(number)
            yield meshes.put_padded(mesh, np.full(number + 1, number), 8), number + 1

    seen = [(batch.tolist(), list(started)) for batch in meshes.fetch_behind(running())]
    assert seen == [([0], [0, 1]), ([1, 1], [0, 1, 2]), ([2, 2, 2], [0, 1, 2])]
    assert list(meshes.fetch_behind(())) == []


def test_processes_hold_runs_of_rows_that_make_up_the_batch():
    assert [meshes.process_rows(12, i, 3) for i in range(3)] == [slice(0, 4), slice(4, 8), slice(8, 12)]


@pytest.mark.parametrize(('batch', 'sizes'), [(12, '8 or 16'), (5, '8')])
def test_a_batch_that_the_devices_cannot_share_is_refused(mesh, batch, sizes):
    with pytest.raises(UserError, match=f'a.key={batch}: must be a multiple of the 8 devices; use {sizes}$'):
        meshes.check_divides(mesh, batch, 'a.key')
    meshes.check_divides(mesh, 16, 'a.key')
