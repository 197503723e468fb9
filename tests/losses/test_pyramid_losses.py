"""Losses of the small network, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosegnet_jax import networks
from cosegnet_jax.config import Config, Data, Loss, Model
from cosegnet_jax.data.batches import Batch
from cosegnet_jax.losses import pyramid
from cosegnet_jax.training import state

CONFIG = Config(
    image_size=32,
    model=Model(name='pyramid', encoder='efficientnet_lite0', width=1 / 16, weights='none'),
    data=Data(sampler='balanced'),
    loss=Loss(w1_positive=1.0, soft_jaccard=1.0, contrast=0.2),
)


def test_soft_jaccard_is_added_to_cross_entropy():
    logits = jnp.log(jnp.array([[[1 / 3, 3.0]]]))  # probabilities 1/4 and 3/4
    truth = jnp.array([[[False, True]]])
    entropy = -np.log(0.75)
    jaccard = (0.75 + 1) / (1.25 + 1)  # both 3/4, either 1/4 + 7/4 - 3/4
    assert pyramid.mask_losses(logits, truth, 0.0)[0] == pytest.approx(entropy)
    assert pyramid.mask_losses(logits, truth, 2.0)[0] == pytest.approx(entropy + 2 * (1 - jaccard))


def test_the_contrastive_loss_tells_positives_from_all_others():
    embedding = jnp.eye(64)[jnp.array([0, 0, 1])]
    positive = jnp.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], bool)
    others = ~jnp.eye(3, dtype=bool)
    want = -np.log(np.exp(2) / (np.exp(2) + 1))  # cosines 1 and 0 at temperature 1/2
    assert pyramid.contrastive_loss(embedding, positive, others, 0.5) == pytest.approx(want)
    alone = pyramid.contrastive_loss(embedding, jnp.zeros_like(positive), others, 0.5)
    assert alone == 0


def batch(labels) -> Batch:
    rng = np.random.default_rng(0)
    n = len(labels)
    images = rng.integers(0, 256, (n, 1, 32, 32, 3), np.uint8)
    masks = rng.integers(0, 2, (n, 1, 32, 32), np.uint8)
    numbers = np.arange(n, dtype=np.int32)[:, None]
    return Batch(*map(jnp.asarray, (images, masks, np.array(labels, np.int32).reshape(n, 1, 1), numbers)))


@pytest.fixture(scope='module')
def losses():
    graph, params = networks.graph(CONFIG.model), jax.jit(lambda: state.random_params(CONFIG.model, 0))()
    compute = jax.jit(lambda batch: pyramid.batch_losses(graph, params, batch, jax.random.key(0), CONFIG))
    return lambda batch: {name: float(value) for name, value in compute(batch).items()}


def test_masks_learn_from_images_in_positive_pairs_only(losses):
    given = batch([0, 0, 1])
    alone = losses(given._replace(masks=given.masks.at[2].set(1 - given.masks[2])))
    assert losses(given)['loss_mask'] == alone['loss_mask']
    changed = losses(given._replace(masks=given.masks.at[1].set(1 - given.masks[1])))
    assert losses(given)['loss_mask'] != changed['loss_mask']


def test_the_sum_has_the_weights_of_the_config(losses):
    terms = losses(batch([0, 0, 1]))
    assert terms['loss'] == pytest.approx(
        terms['loss_mask'] + 0.2 * terms['loss_contrast'] + _decisions(terms), rel=1e-5
    )
    assert all(np.isfinite(list(losses(batch([0, 1, 2])).values())))  # no positive pair at all


def _decisions(terms) -> float:
    weights = CONFIG.loss.w3_positive, CONFIG.loss.w3_negative
    return weights[0] * terms['loss_positive'] + weights[1] * terms['loss_negative']
