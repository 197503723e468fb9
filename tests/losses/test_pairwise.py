import dataclasses

import jax
import numpy as np
import optax
import pytest
from flax import nnx

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.data.batches import Batch
from cosegnet_jax.data.examples import NO_CLASS
from cosegnet_jax.losses import pairwise
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import optimizer, state, step

SMALL = configs.Config(
    image_size=32,
    model=configs.Model(name='base', width=1 / 32, weights='none'),
    data=configs.Data(flip=False),
    loss=configs.Loss(w1_positive=0.25),
    optimizer=configs.Optimizer(name='adam', learning_rate=1e-3),
    train=configs.Train(batch_triplets=8, steps=10),
)


def batch(seed: int = 0) -> Batch:
    """Noise: up to two objects an image. Anchors show classes 0 and 1, their positives 0, or 1, or nothing
    of the two; negatives show other classes."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (8, 3, 32, 32, 3), np.uint8)
    masks = rng.integers(0, 3, (8, 3, 32, 32), np.uint8)
    labels = np.empty((8, 3, 2), np.int32)
    labels[:, 0] = [[0, 1], [1, 0]] * 4
    labels[:, 1] = [[0, NO_CLASS], [1, 2]] * 4
    labels[:, 2] = [[2, NO_CLASS], [3, 2]] * 4
    masks[labels[..., 1] == NO_CLASS] %= 2
    masks[5:, 1] = 0  # cropped away
    return Batch(images, masks, labels, np.arange(24, dtype=np.int32).reshape(8, 3))


class Network:
    """A kind of network: its losses, the gradients of `loss` and `loss_null`, and its masks of a pair."""

    def __init__(self, name: str):
        self.config = dataclasses.replace(SMALL, model=dataclasses.replace(SMALL.model, name=name))
        self.graph = networks.graph(self.config.model)
        self.params = jax.jit(lambda: state.random_params(self.config.model, 0))()

        @jax.jit
        def losses(given: Batch):
            metrics, pull = jax.vjp(lambda params: self.losses_of(params, given, self.config), self.params)
            zeros = dict.fromkeys(metrics, 0.0)
            return metrics, *(pull(zeros | {name: 1.0})[0] for name in ('loss', 'loss_null'))

        @jax.jit
        def masks(pair):
            model = nnx.merge(self.graph, self.params)
            seen = model.describe(pair)
            return model.pair_masks(seen, jax.tree.map(lambda x: x[::-1], seen))

        self.losses, self.masks = lambda given: jax.device_get(losses(given)), masks

    def losses_of(self, params, given: Batch, config: configs.Config):
        return pairwise.batch_losses(self.graph, params, given, jax.random.key(0), config)


@pytest.fixture(scope='module')
def base():
    return Network('base')


@pytest.fixture(scope='module', params=['base', 'deep_object_coseg'])
def network(request):
    return request.getfixturevalue('base') if request.param == 'base' else Network(request.param)


def cross_entropies(network: Network, given: Batch, partner: int) -> list[np.ndarray]:
    """Of the pixels of both masks of each pair of an anchor with the positive (1) or the negative (2)."""
    found = []
    for t in range(8):
        logits = np.asarray(network.masks(given.images[t, [0, partner]]))
        for side, (image, other) in enumerate(((0, partner), (partner, 0))):
            seen = {given.labels[t, other][k - 1] for k in np.unique(given.masks[t, other]) if k}
            classes = [-2, *given.labels[t, image]]  # of the values of its mask
            truth = np.vectorize(lambda value, c=classes, s=seen: c[value] in s)(given.masks[t, image])
            assert partner == 1 or not truth.any()
            found.append(np.logaddexp(0, logits[side]) - logits[side] * truth)
    return found


def test_losses_are_those_of_the_pairs_passed_one_by_one(network):
    given = batch()
    losses, *_ = network.losses(given)
    positive, negative = (cross_entropies(network, given, partner) for partner in (1, 2))
    assert losses['loss_mask'] == pytest.approx(np.mean([e.mean() for e in positive]), rel=1e-4)
    assert losses['loss_null'] == pytest.approx(np.mean([e.mean() for e in negative]), rel=1e-4)
    assert losses['loss'] == pytest.approx(0.25 * (losses['loss_mask'] + losses['loss_null']))


def test_pixels_are_summed_where_equation_2_is_read_so(base):
    config = dataclasses.replace(base.config, loss=configs.Loss(mask_reduction='sum', w1_positive=0.25))
    summed = jax.device_get(jax.jit(lambda given: base.losses_of(base.params, given, config))(batch()))
    for name, mean in base.losses(batch())[0].items():
        assert summed[name] == pytest.approx(32 * 32 * mean, rel=1e-4)


def test_masks_are_asked_for_the_objects_that_a_pair_shares(base):
    """An object that the positive does not show is background to the pair."""
    given = batch()
    unshared = given.masks.copy()
    unshared[::2, 0][unshared[::2, 0] == 2] = 0  # class 1, where only 0 is shared
    (ours, *_), (theirs, *_) = base.losses(given), base.losses(given._replace(masks=unshared))
    assert ours['loss_mask'] == theirs['loss_mask']


def test_negative_pairs_teach_the_whole_network(network):
    *_, null = network.losses(batch())
    for path, gradient in jax.tree_util.tree_leaves_with_path(null):
        assert np.abs(gradient).max() > 0, path


def test_the_negatives_mask_is_not_read(base):
    given = batch()
    other = given.masks.copy()
    other[:, 2] = (other[:, 2] == 0) * np.uint8(1)
    jax.tree.map(np.testing.assert_array_equal, base.losses(given), base.losses(given._replace(masks=other)))


def test_steps_on_eight_devices_lower_the_loss_of_one(base):
    """From the losses and the gradient that one device finds."""
    mesh, given, config = meshes.data_mesh(), batch(), base.config
    update = optimizer.build(config, config.train.steps)
    run = step.make_step(config, update, mesh, lambda on_device, per_step: per_step)
    place = meshes.replicated(mesh)
    params = jax.tree.map(lambda x: jax.device_put(np.array(x), place), base.params)
    current = state.State(jax.device_put(np.int32(0), place), params, update.init(params))
    seen = []
    for _ in range(4):
        current, metrics = run(current, (), Batch(*(meshes.put_batch(mesh, part) for part in given)))
        seen.append(jax.device_get(metrics))
    expected, gradient, _ = base.losses(given)
    for name, value in {**expected, 'gradient_norm': float(optax.tree.norm(gradient))}.items():
        assert seen[0][name] == pytest.approx(value, rel=1e-3), name
    assert seen[-1]['loss'] < seen[0]['loss']
