import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from cosegnet_jax import config as configs
from cosegnet_jax import mesh as meshes
from cosegnet_jax import models
from cosegnet_jax.training import optimizer, state, step

SMALL = configs.Config(
    image_size=32,
    model=configs.Model(width=1 / 32, weights='none'),
    optimizer=configs.Optimizer(learning_rate=1e-2),
    train=configs.Train(batch_triplets=8, steps=10),
)
MASKS_AFTER_TAP = ('cT10', 'cT11', 'cT12', 'cT13')


def batch(seed: int, triplets: int = 8, side: int = 32):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (triplets, 3, side, side, 3), np.uint8)
    return jnp.asarray(images), jnp.asarray(rng.integers(0, 2, (triplets, 3, side, side), np.uint8))


def one_device() -> jax.sharding.Mesh:
    return jax.sharding.Mesh(jax.devices()[:1], ('data',))


class Trainer:
    """The jitted step on a mesh, compiled once."""

    def __init__(self, mesh: jax.sharding.Mesh):
        self.mesh, self.update = mesh, optimizer.build(SMALL.optimizer, SMALL.train.steps)
        self.step = step.make_step(SMALL, self.update, mesh)

    def train(self, batches) -> tuple[state.State, list]:
        """State after all batches, and the metrics of each."""
        current, seen = state.initial(SMALL, None, self.update, self.mesh), []
        for images, masks in batches:
            rows = (
                meshes.put_batch(self.mesh, np.asarray(images)),
                meshes.put_batch(self.mesh, np.asarray(masks)),
            )
            current, metrics = self.step(current, *rows)
            seen.append(jax.device_get(metrics))
        return jax.device_get(current), seen


@pytest.fixture(scope='module')
def one():
    return Trainer(one_device())


@pytest.fixture(scope='module')
def params():
    return jax.jit(lambda: state.random_params(SMALL.model, 0))()


@pytest.fixture(scope='module')
def gradients(params):
    """Gradient of the total loss as a function of the masks."""
    graph = models.graph(SMALL.model)

    @jax.jit
    def gradient(masks):
        def total(params):
            return step.batch_losses(
                graph, params, batch(0, 2)[0], masks, jax.random.key(0), SMALL.loss
            ).total

        return jax.grad(total)(params)

    return gradient


def test_negative_pairs_teach_everything_but_what_follows_the_tap(gradients):
    """Exactly zero for cT10-cT13; alive in every layer of encoder, cT1-cT9, metric and decision network."""
    gradient = gradients(jnp.zeros((2, 3, 32, 32), jnp.uint8))  # no object in sight: all pairs are negative
    for name, layer in gradient['decoder']['layers'].items():
        for values in layer.values():
            if name in MASKS_AFTER_TAP:
                np.testing.assert_array_equal(values, 0)
            else:
                assert np.abs(values).max() > 0, name
    for part in ('encoder', 'metric', 'decision'):
        for path, values in jax.tree_util.tree_leaves_with_path(gradient[part]):
            assert np.abs(values).max() > 0, (part, path)


def test_positive_pairs_teach_everything(gradients):
    for path, values in jax.tree_util.tree_leaves_with_path(gradients(batch(0, 2)[1])):
        assert np.abs(values).max() > 0, path


def test_the_negatives_mask_is_not_read(gradients):
    masks = batch(0, 2)[1]
    other = masks.at[:, 2].set(1 - masks[:, 2])
    jax.tree.map(np.testing.assert_array_equal, gradients(masks), gradients(other))


def test_losses_are_those_of_the_pairs_passed_one_by_one(params):
    """The triplet form against the paper's: a positive and a negative pair, the anchor passed in both."""
    graph = models.graph(SMALL.model)
    images, masks = batch(3, 2)
    key = jax.random.key(7)
    values = step.batch_losses(graph, params, images, masks, key, SMALL.loss)

    model = nnx.merge(graph, params)
    swap = np.asarray(jax.random.bernoulli(key, shape=(2, 2, 1)))[..., 0]
    l1, l2, l3 = [], [], []
    for t in range(2):
        a, p, n = (model.describe(images[t, i : i + 1]) for i in range(3))
        for i, d in ((0, a), (1, p)):
            logits = model.masks(d.tap)[0]
            l1.append(optax.sigmoid_binary_cross_entropy(logits, masks[t, i].astype(np.float32)).mean())
        near, far = (jnp.linalg.norm(a.embedding - other.embedding) for other in (p, n))
        l2.append(max(0.0, near - far + 1))
        for pair, other, label in ((0, p, 1.0), (1, n, 0.0)):
            order = (other, a) if swap[pair, t] else (a, other)
            logit = model.decide(order[0].embedding[0], order[1].embedding[0])
            l3.append(optax.sigmoid_binary_cross_entropy(logit, label))
    expected = 0.33 * (np.mean(l1) + np.mean(l2) + np.mean(l3[::2])) + 0.5 * (np.mean(l2) + np.mean(l3[1::2]))
    assert values.total == pytest.approx(expected, rel=1e-4)
    assert values.mask == pytest.approx(np.mean(l1), rel=1e-4)


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
    rows = [meshes.put_batch(one.mesh, np.asarray(part)) for part in batch(0)]

    def metrics_at(number: int) -> dict:
        current = state.initial(SMALL, None, one.update, one.mesh)
        moved = current._replace(step=current.step + number)
        return jax.device_get(one.step(moved, *rows)[1])

    first, again, later = metrics_at(0), metrics_at(0), metrics_at(1)
    assert first == again
    assert first['loss_decision'] != later['loss_decision']
    assert first['loss_mask'] == pytest.approx(later['loss_mask'])


def test_the_state_is_donated(one):
    current = state.initial(SMALL, None, one.update, one.mesh)
    one.step(current, *(meshes.put_batch(one.mesh, np.asarray(part)) for part in batch(0)))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(current.params))


@pytest.mark.parametrize(
    'loss',
    [
        configs.Loss(mask_reduction='sum'),
        configs.Loss(triplet_features='fu'),
        configs.Loss(triplet_distance='squared', normalise_embeddings=True, margin=0.2),
    ],
    ids=['sum', 'fu', 'facenet'],
)
def test_each_reading_of_the_losses_changes_the_loss(params, loss):
    graph = models.graph(SMALL.model)
    images, masks = batch(0, 2)
    ours, theirs = (
        step.batch_losses(graph, params, images, masks, jax.random.key(0), kind)
        for kind in (SMALL.loss, loss)
    )
    assert np.isfinite(theirs.total)
    assert not np.isclose(ours.total, theirs.total)


def test_margin_is_what_a_triplet_of_equal_images_costs(params):
    graph = models.graph(SMALL.model)
    images, masks = batch(0, 2)
    images = jnp.broadcast_to(images[:, :1], images.shape)
    values = step.batch_losses(graph, params, images, masks, jax.random.key(0), configs.Loss(margin=0.7))
    assert values.triplet == pytest.approx(0.7, rel=1e-4)
