import dataclasses

import jax
import numpy as np
import pytest
from noise_batches import SMALL, batch

from cosegnet_jax.data.batches import Batch
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import optimizer, state, step


def per_step(on_device, batch: Batch) -> Batch:
    return batch


def one_device() -> jax.sharding.Mesh:
    return meshes.data_mesh(jax.devices()[:1])


class Trainer:
    """The jitted step on a mesh, compiled once."""

    def __init__(self, mesh: jax.sharding.Mesh):
        self.mesh, self.update = mesh, optimizer.build(SMALL, SMALL.train.steps)
        self.step = step.make_step(SMALL, self.update, mesh, per_step)

    def train(self, batches) -> tuple[state.State, list]:
        """State after all batches, and the metrics of each."""
        current, seen = state.initial(SMALL, {}, self.update, self.mesh), []
        for given in batches:
            current, metrics = self.step(current, (), self.placed(given))
            seen.append(jax.device_get(metrics))
        return jax.device_get(current), seen

    def placed(self, given: Batch) -> Batch:
        return Batch(*(meshes.put_batch(self.mesh, np.asarray(part)) for part in given))


@pytest.fixture(scope='module')
def one():
    return Trainer(one_device())


@pytest.mark.slow
def test_eight_devices_train_as_one(one):
    batches = [batch(i) for i in range(3)]
    eight = Trainer(meshes.data_mesh())
    assert eight.mesh.size == 8
    ours, seen_by_one = one.train(batches)
    theirs, seen_by_eight = eight.train(batches)
    for mine, other in zip(seen_by_one, seen_by_eight, strict=True):
        for key, value in mine.items():
            assert value == pytest.approx(other[key], rel=1e-4), key
    jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-6), ours.params, theirs.params
    )


def test_no_recompilation_across_batches(one):
    one.train([batch(i) for i in range(3)])
    assert one.step._cache_size() == 1


def test_the_decisions_order_is_drawn_anew_at_every_step(one):
    """The same weights and batch at another step meet the order-dependent network in another order."""
    rows = one.placed(batch(0))

    def metrics_at(number: int) -> dict:
        current = state.initial(SMALL, {}, one.update, one.mesh)
        moved = current._replace(step=current.step + number)
        return jax.device_get(one.step(moved, (), rows)[1])

    first, again, later = metrics_at(0), metrics_at(0), metrics_at(1)
    assert first == again
    assert first['loss_decision'] != later['loss_decision']
    assert first['loss_mask'] == pytest.approx(later['loss_mask'])


def test_frozen_blocks_keep_their_weights_and_are_not_in_the_gradient(one):
    frozen = dataclasses.replace(SMALL.optimizer, frozen_blocks=5)
    config = dataclasses.replace(SMALL, optimizer=frozen)
    update = optimizer.build(config, config.train.steps)
    run_step = step.make_step(config, update, one.mesh, per_step)
    before = jax.device_get(state.initial(config, {}, update, one.mesh).params)
    current = state.initial(config, {}, update, one.mesh)
    after, metrics = jax.device_get(run_step(current, (), one.placed(batch(0))))
    jax.tree.map(np.testing.assert_array_equal, after.params['encoder'], before['encoder'])
    assert not np.array_equal(
        after.params['decoder']['layers']['cT1']['kernel'], before['decoder']['layers']['cT1']['kernel']
    )
    (whole,) = one.train([batch(0)])[1]
    assert metrics['loss'] == pytest.approx(whole['loss'])
    assert metrics['gradient_norm'] < 0.99 * whole['gradient_norm']


def test_the_state_is_donated(one):
    current = state.initial(SMALL, {}, one.update, one.mesh)
    one.step(current, (), one.placed(batch(0)))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(current.params))
