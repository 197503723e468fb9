"""From a network and images to scores."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int, UInt8

from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation import beside_partner, pair_samples, per_image, per_pair
from cosegnet_jax.evaluation.counts import count_baselines
from cosegnet_jax.evaluation.predictions import PairMasks, Predictions, Scorer
from cosegnet_jax.evaluation.protocol import Protocol, Results, evaluate
from cosegnet_jax.networks.image_network import ImageNetwork, PartnerNetwork
from cosegnet_jax.networks.pair_network import PairNetwork
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.training import checkpoints

IN_PICTURE = 4  # pairs

_SCORERS: dict[type[TrainedNetwork], Scorer] = {
    ImageNetwork: per_image,
    PartnerNetwork: beside_partner,
    PairNetwork: per_pair,
}


def protocol_of(config: Config) -> Protocol:
    """Return the configured protocol."""
    settings = config.evaluation
    return Protocol(
        image_size=config.image_size,
        name=settings.protocol,
        mask_threshold=settings.mask_threshold,
        decision_threshold=settings.decision_threshold,
        empty_truth=settings.empty_truth,
        outlier_truth=settings.outlier_truth,
        symmetric=settings.symmetric,
        seed=config.seed,
        split=config.data.split,
        split_file=config.data.split_file,
    )


def predict(config: Config, network: TrainedNetwork, examples: Examples) -> Predictions:
    """Make the network's predictions of a set, as far as scoring needs them."""
    return _SCORERS[type(network)].predict(config, network, examples)


def segment_pairs(
    config: Config, network: TrainedNetwork, examples: Examples, chosen: Int[np.ndarray, 'p 2']
) -> PairMasks:
    """Make the network's masks and decisions of a few pairs."""
    return _SCORERS[type(network)].segment_pairs(config, network, examples, chosen)


def score(config: Config, predictions: Predictions, examples: Examples) -> Results:
    """Score predictions under the configured protocol."""
    baselines = count_baselines(examples, config.evaluation.batch_images)
    return evaluate(examples, predictions, baselines, protocol_of(config))


def validate(
    config: Config, network: TrainedNetwork, examples: Examples
) -> tuple[dict[str, float], UInt8[np.ndarray, 'height width 3']]:
    """Make scalars and a picture for the log of a training run."""
    results = score(config, predict(config, network, examples), examples)
    scalars = {
        checkpoints.SCORE: (results.overall.jaccard + results.overall.jaccard_ungated) / 2,
        'validation_jaccard': results.overall.jaccard,
        'validation_jaccard_ungated': results.overall.jaccard_ungated,
        'validation_precision': results.overall.precision,
        'validation_balanced_accuracy': results.decision.balanced_accuracy,
        'validation_auc': results.decision.auc,
    }
    chosen = np.array(_pairs_in_picture(examples, config.seed))
    masks = segment_pairs(config, network, examples, chosen).masks
    return scalars, _picture(examples.subset(chosen.ravel()), masks.reshape(-1, *masks.shape[2:]))


def _pairs_in_picture(examples: Examples, seed: int) -> list[pair_samples.Pair]:
    """Draw pairs with a common object, or without one in a part that is all outliers."""
    pool = pair_samples.draw_pool(len(examples), seed)
    positive = pair_samples.draw_positive(examples, IN_PICTURE, seed)
    return positive or pair_samples.draw_negative(examples, pool, IN_PICTURE, seed)


def _picture(examples: Examples, masks: Bool[np.ndarray, 'n h w']) -> UInt8[np.ndarray, 'height width 3']:
    """Lay the images side by side, with their true objects and masks below them."""
    objects = np.asarray(examples.masks) > 0
    gray = [np.repeat(m[..., None].astype(np.uint8) * 255, 3, -1) for m in (objects, masks)]
    return np.concatenate([np.concatenate(list(row), 1) for row in (np.asarray(examples.images), *gray)])
