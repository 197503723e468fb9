import dataclasses

import from_arrays
import jax
import numpy as np
import pytest

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.data.stored_images import Stored
from cosegnet_jax.evaluation import pair_samples, per_image, scoring
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import checkpoints, state

CONFIG = configs.Config(
    image_size=32,
    model=configs.Model(width=1 / 64, weights='none'),
    evaluation=configs.Evaluation(batch_images=8),
)


@pytest.fixture(scope='module')
def network():
    mesh = meshes.data_mesh()
    make = jax.jit(lambda: state.random_params(CONFIG.model, 0), out_shardings=meshes.replicated(mesh))
    return networks.trained(CONFIG, make(), mesh)


@pytest.fixture
def noise():
    return from_arrays.noise(21)


def stored(examples):
    """The same examples, decoded one by one; and a list of the images that were read."""
    read = []

    def photo(k):
        read.append(k)
        return examples.images[k]

    rows = np.arange(len(examples))
    images = Stored(photo, rows, examples.images.shape[1:])
    masks = Stored(lambda k: examples.masks[k], rows, examples.masks.shape[1:])
    return dataclasses.replace(examples, images=images, masks=masks), read


def test_validation_gives_the_score_and_a_picture(network, noise):
    scalars, picture = scoring.validate(CONFIG, network, noise)
    assert {checkpoints.SCORE, 'validation_jaccard_ungated', 'validation_auc'} <= scalars.keys()
    assert all(0 <= value <= 1 for value in scalars.values())
    assert picture.shape == (3 * 32, 2 * 2 * 32, 3)  # one pair of each class
    ((i, j), *_) = drawn = pair_samples.draw_positive(noise, 4, CONFIG.seed)
    np.testing.assert_array_equal(picture[:32, :64], np.concatenate([noise.images[i], noise.images[j]], 1))
    np.testing.assert_array_equal(picture[32:64, -32:, 0], noise.masks[drawn[-1][1]] * 255)
    looked = scoring.segment_pairs(CONFIG, network, noise, np.array(drawn))
    np.testing.assert_array_equal(picture[64:, -32:, 0], looked.masks[-1, 1] * 255)


def test_a_part_without_a_positive_pair_is_pictured_by_negative_ones(network, noise):
    outliers = noise.subset(np.arange(4))
    outliers = dataclasses.replace(
        outliers, visible=np.zeros_like(outliers.visible), masks=0 * outliers.masks
    )
    scalars, picture = scoring.validate(CONFIG, network, outliers)
    assert np.isnan(scalars['validation_auc'])
    assert picture.shape == (3 * 32, 2 * 4 * 32, 3)


def test_every_image_is_described_once_and_decoded_batch_by_batch(network, noise, monkeypatch):
    expected = scoring.predict(CONFIG, network, noise)
    examples, read = stored(noise)
    seen = []

    def count(masks, truth, objects):
        seen.append((len(masks), len(read)))
        return original(masks, truth, objects)

    original = per_image.count
    monkeypatch.setattr(per_image, 'count', count)
    measured = scoring.predict(CONFIG, network, examples)
    assert read == list(range(21))
    assert seen == [(8, 16), (8, 21), (5, 21)]  # counted as soon as the next batch is under way
    for field in ('predicted', 'true', 'hits'):
        np.testing.assert_array_equal(
            getattr(measured.counts_of_images, field), getattr(expected.counts_of_images, field)
        )
    everything = np.arange(21)
    np.testing.assert_array_equal(
        measured.decide(everything, everything), expected.decide(everything, everything)
    )


def test_looking_at_pairs_shows_the_masks_and_decisions_that_were_scored(network, noise):
    everything = np.arange(21)
    measured = scoring.predict(CONFIG, network, noise)
    chosen = np.array([[3, 17], [0, 3], [17, 20]])
    looked = scoring.segment_pairs(CONFIG, network, noise, chosen)
    np.testing.assert_array_equal(looked.masks.sum((2, 3)), measured.counts_of_images.predicted[chosen])
    decided = measured.decide(everything, everything)[tuple(chosen.T)]
    np.testing.assert_allclose(looked.probability, decided, rtol=1e-5)
    assert len({*decided.tolist()}) == 3
    assert 0 < looked.masks.sum() < looked.masks.size


def test_protocol_is_the_configured_one(network, noise):
    settings = dataclasses.replace(
        CONFIG.evaluation, protocol='ssnm', decision_threshold=0.3, symmetric=False
    )
    config = dataclasses.replace(CONFIG, evaluation=settings, data=configs.Data(split=4), seed=9)
    protocol = scoring.protocol_of(config)
    assert (protocol.name, protocol.decision_threshold, protocol.symmetric) == ('ssnm', 0.3, False)
    assert (protocol.image_size, protocol.split, protocol.seed) == (32, 4, 9)
    pair = np.array([[0, 1]])
    adaptive, fixed = (scoring.segment_pairs(kind, network, noise, pair).masks for kind in (config, CONFIG))
    assert not np.array_equal(adaptive, fixed)
