import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from noise_batches import SMALL, batch

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.data.batches import Batch
from cosegnet_jax.losses import cosegnet, equations
from cosegnet_jax.training import state

MASKS_AFTER_TAP = ('cT10', 'cT11', 'cT12', 'cT13')


@pytest.fixture(scope='module')
def params():
    return jax.jit(lambda: state.random_params(SMALL.model, 0))()


@pytest.fixture(scope='module')
def gradients(params):
    """Gradient of the total loss as a function of the masks."""
    graph = networks.graph(SMALL.model)

    @jax.jit
    def gradient(masks):
        def total(params):
            given = batch(0, 2)._replace(masks=masks)
            return cosegnet.batch_losses(graph, params, given, jax.random.key(0), SMALL)['loss']

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
    for path, values in jax.tree_util.tree_leaves_with_path(gradients(batch(0, 2).masks)):
        assert np.abs(values).max() > 0, path


def test_the_negatives_mask_is_not_read(gradients):
    masks = batch(0, 2).masks
    other = masks.at[:, 2].set(1 - masks[:, 2])
    jax.tree.map(np.testing.assert_array_equal, gradients(masks), gradients(other))


@pytest.mark.slow
def test_losses_are_those_of_the_pairs_passed_one_by_one(params):
    """The triplet form against the paper's: a positive and a negative pair, the anchor passed in both."""
    graph = networks.graph(SMALL.model)
    given = batch(3, 2)
    images, masks = given[:2]
    key = jax.random.key(7)
    values = cosegnet.batch_losses(graph, params, given, key, SMALL)

    model = nnx.merge(graph, params)
    order, _ = jax.random.split(key)
    swap = np.asarray(jax.random.bernoulli(order, shape=(2, 2, 1)))[..., 0]
    l1, l2, l3 = [], [], []
    for t in range(2):
        a, p, n = (model.describe(images[t, i : i + 1]) for i in range(3))
        for i, d in ((0, a), (1, p)):
            logits = model.masks(d)[0]
            l1.append(optax.sigmoid_binary_cross_entropy(logits, masks[t, i].astype(np.float32)).mean())
        near, far = (jnp.linalg.norm(a.embedding - other.embedding) for other in (p, n))
        l2.append(max(0.0, near - far + 1))
        for pair, other, label in ((0, p, 1.0), (1, n, 0.0)):
            order = (other, a) if swap[pair, t] else (a, other)
            logit = model.decision(order[0].embedding[0], order[1].embedding[0])
            l3.append(optax.sigmoid_binary_cross_entropy(logit, label))
    expected = 0.33 * (np.mean(l1) + np.mean(l2) + np.mean(l3[::2])) + 0.5 * (np.mean(l2) + np.mean(l3[1::2]))
    assert values['loss'] == pytest.approx(expected, rel=1e-4)
    assert values['loss_mask'] == pytest.approx(np.mean(l1), rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    'loss',
    [
        configs.Loss(mask_reduction='sum'),
        configs.Loss(triplet_features='fu'),
        configs.Loss(triplet_distance='squared', normalize_embeddings=True, margin=0.2),
    ],
    ids=['sum', 'fu', 'facenet'],
)
def test_each_reading_of_the_losses_changes_the_loss(params, loss):
    graph = networks.graph(SMALL.model)
    ours, theirs = (
        cosegnet.batch_losses(
            graph, params, batch(0, 2), jax.random.key(0), dataclasses.replace(SMALL, loss=kind)
        )
        for kind in (SMALL.loss, loss)
    )
    assert np.isfinite(theirs['loss'])
    assert not np.isclose(ours['loss'], theirs['loss'])


def test_margin_is_what_a_triplet_of_equal_images_costs(params):
    graph = networks.graph(SMALL.model)
    given = batch(0, 2)
    given = given._replace(images=jnp.broadcast_to(given.images[:, :1], given.images.shape))
    config = dataclasses.replace(SMALL, loss=configs.Loss(margin=0.7))
    values = cosegnet.batch_losses(graph, params, given, jax.random.key(0), config)
    assert values['loss_triplet'] == pytest.approx(0.7, rel=1e-4)


def balanced(negatives: str) -> configs.Config:
    return dataclasses.replace(
        SMALL, data=configs.Data(flip=False, sampler='balanced'), loss=configs.Loss(negatives=negatives)
    )


def classes(seed: int, groups: int = 3, images: int = 3) -> Batch:
    """Noise of a few classes; the last image of the last class is an outlier of it."""
    rng, n = np.random.default_rng(seed), groups * images
    pixels = rng.integers(0, 256, (n, 1, 32, 32, 3), np.uint8)
    masks = rng.integers(0, 2, (n, 1, 32, 32), np.uint8)
    masks[-1] = 0
    labels = np.repeat(np.arange(groups, dtype=np.int32), images)[:, None, None]
    return Batch(*map(jnp.asarray, (pixels, masks, labels, np.arange(n, dtype=np.int32)[:, None])))


@pytest.mark.slow
def test_losses_of_a_mined_batch_are_those_of_its_pairs_one_by_one(params):
    """All ordered pairs of images that share a class, each with its semi-hard negative."""
    graph, given, key = networks.graph(SMALL.model), classes(1), jax.random.key(7)
    config = balanced('semi_hard')
    values = cosegnet.batch_losses(graph, params, given, key, config)

    model = nnx.merge(graph, params)
    images, masks = (part.reshape(9, *part.shape[2:]) for part in given[:2])
    described = [model.describe(image[None]) for image in images]
    points = np.stack([d.embedding[0] for d in described])
    distances = np.sqrt(np.square(points[:, None] - points).sum(-1) + equations.EPSILON)
    entropy = [
        optax.sigmoid_binary_cross_entropy(model.masks(d)[0], m.astype(np.float32)).mean()
        for d, m in zip(described, masks, strict=True)
    ]
    order, _ = jax.random.split(key)
    swap = np.asarray(jax.random.bernoulli(order, shape=(2, 81, 1)))[..., 0]
    filed = np.arange(9) // 3
    filed[8] = 99  # the outlier shares nothing
    l1, l2, l3 = [], [], []
    for a in range(9):
        others = [i for i in range(9) if filed[i] != filed[a]]
        for p in range(9):
            if p == a or filed[p] != filed[a]:
                continue
            farther = [i for i in others if distances[a, i] > distances[a, p]]
            n = min(farther, key=distances[a].item) if farther else max(others, key=distances[a].item)
            l1.append((entropy[a] + entropy[p]) / 2)
            l2.append(max(0.0, distances[a, p] - distances[a, n] + 1))
            for pair, other, label in ((0, p, 1.0), (1, n, 0.0)):
                first, second = (other, a) if swap[pair, 9 * a + p] else (a, other)
                logit = model.decision(jnp.asarray(points[first]), jnp.asarray(points[second]))
                l3.append(optax.sigmoid_binary_cross_entropy(logit, label))
    assert len(l1) == 6 + 6 + 2
    expected = 0.33 * (np.mean(l1) + np.mean(l2) + np.mean(l3[::2])) + 0.5 * (np.mean(l2) + np.mean(l3[1::2]))
    assert values['loss'] == pytest.approx(expected, rel=1e-4)
    assert values['loss_triplet'] == pytest.approx(np.mean(l2), rel=1e-4)
    assert values['active_triplets'] == pytest.approx(np.mean(np.array(l2) > 0))


def test_random_negatives_of_a_balanced_batch_differ_from_step_to_step(params):
    graph, given, config = networks.graph(SMALL.model), classes(1), balanced('random')
    drawn = [cosegnet.batch_losses(graph, params, given, jax.random.key(seed), config) for seed in (0, 0, 1)]
    first, again, other = (values['loss_triplet'] for values in drawn)
    assert first == again != other


def test_a_batch_without_any_positive_pair_does_not_teach_masks(params):
    """Exactly nothing for what follows the tap."""
    graph, given = networks.graph(SMALL.model), classes(0, groups=2, images=2)
    masks = given.masks.at[jnp.array([1, 3])].set(0)  # one image of each class shows it
    config = dataclasses.replace(
        balanced('semi_hard'), data=configs.Data(flip=False)
    )  # triplets count anyway
    given = Batch(*(part[:3].reshape(1, 3, *part.shape[2:]) for part in given._replace(masks=masks)))

    def total(params):
        return cosegnet.batch_losses(graph, params, given, jax.random.key(0), config)['loss']

    gradient = jax.grad(total)(params)
    for name, layer in gradient['decoder']['layers'].items():
        if name in MASKS_AFTER_TAP:
            jax.tree.map(lambda values: np.testing.assert_array_equal(values, 0), layer)
    assert np.abs(gradient['encoder']['layers']['conv1_1']['kernel']).max() > 0


def test_masks_are_asked_for_the_objects_that_a_pair_shares(params):
    """Images of classes {0, 1} and {0}: the second object of the first is background to this pair."""
    graph, given = networks.graph(SMALL.model), batch(0, 1)
    masks = given.masks.at[0, 0].set(
        jnp.kron(jnp.array([[1, 2], [0, 1]], jnp.uint8), jnp.ones((16, 16), jnp.uint8))
    )
    labels = jnp.array([[[0, 1], [0, -1], [2, -1]]], jnp.int32)

    def mask_loss(masks, labels):
        return cosegnet.batch_losses(
            graph, params, given._replace(masks=masks, labels=labels), jax.random.key(0), SMALL
        )['loss_mask']

    shared_only = float(mask_loss(jnp.where(masks == 2, 0, masks), labels[..., :1]))
    assert float(mask_loss(masks, labels)) == pytest.approx(shared_only, rel=1e-5)
    assert float(mask_loss(jnp.minimum(masks, 1), labels[..., :1])) != pytest.approx(shared_only, rel=1e-3)
