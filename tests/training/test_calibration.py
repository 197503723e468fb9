"""Decisions and masks after calibration, on a small network with random weights."""

import dataclasses

import numpy as np
import pytest

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import calibration, state
from tests.support.from_arrays import noise

CONFIG = configs.Config(
    image_size=32,
    model=configs.Model(name='pyramid', encoder='efficientnet_lite0', width=1 / 8, weights='none'),
)


@pytest.fixture(scope='module')
def network():
    params = state.random_params(CONFIG.model, 0)
    return networks.trained(CONFIG, params, meshes.data_mesh())


def logit(probability):
    return np.log(probability) - np.log1p(-probability)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def test_the_line_of_logits_is_found_that_pairs_were_drawn_by():
    random = np.random.default_rng(0)
    logits = random.normal(0, 4, 40_000)
    share = random.random(40_000) < sigmoid(0.5 * logits - 1)
    factor, shift = calibration.fit_line(logits, share)
    assert factor == pytest.approx(0.5, abs=0.02)
    # As if half of the pairs shared something.
    assert shift == pytest.approx(-1 - logit(share.mean()), abs=0.05)


def test_pairs_that_never_share_anything_give_finite_numbers():
    assert np.isfinite(calibration.fit_line(np.zeros(5), np.zeros(5, bool))).all()


def test_calibration_moves_logits_of_decisions_and_of_masks(network):
    photos = noise(3).images
    after = calibration.calibrated(network, calibration.Calibration(0.5, -0.5, 0.25))
    (before_masks, embedding, _), (masks, *_) = (next(one.describe([photos], 3)) for one in (network, after))
    np.testing.assert_allclose(logit(masks), logit(before_masks) + 0.25, atol=1e-2)
    before, decided = (one.decide(embedding, embedding, symmetric=True) for one in (network, after))
    np.testing.assert_allclose(logit(decided), 0.5 * logit(before) - 0.5, atol=1e-2)


def test_masks_are_cut_where_they_overlap_most(network):
    examples = noise(4)
    photos = np.asarray(examples.images)
    # What is true is what the network finds when asked for its median, which becomes 0.6.
    median = float(np.median(logit(next(network.describe([photos], 4))[0])))
    wanted = float(logit(0.6))
    shifted = calibration.calibrated(network, calibration.Calibration(1.0, 0.0, wanted - median))
    true = next(shifted.describe([photos], 4))[0] >= 0.6
    found = calibration.fit_calibration(
        CONFIG, shifted, dataclasses.replace(examples, masks=true.astype(np.uint8))
    )
    assert found.mask_shift == pytest.approx(-wanted, abs=1e-5)
    masks = next(calibration.calibrated(shifted, found).describe([photos], 4))[0]
    assert ((masks >= 0.5) == true).mean() > 0.999
