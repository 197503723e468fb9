"""From weights and images to scores."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int, UInt8

from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation import pair_samples
from cosegnet_jax.evaluation.counts import count_baselines
from cosegnet_jax.evaluation.predictions import PairMasks, Predictions
from cosegnet_jax.evaluation.protocol import Protocol, Results, evaluate
from cosegnet_jax.evaluation.scorers import find_scorer
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.training import checkpoints

IN_PICTURE = 4  # pairs


def protocol_of(config: Config) -> Protocol:
    """The configured protocol."""
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


def measure(config: Config, network: TrainedNetwork, examples: Examples) -> Predictions:
    """The model's masks and decisions of a set, as far as scoring needs them."""
    return find_scorer(network).measure(config, network, examples)


def look(
    config: Config, network: TrainedNetwork, examples: Examples, chosen: Int[np.ndarray, 'p 2']
) -> PairMasks:
    """The model's masks and decisions of some pairs, to be seen."""
    return find_scorer(network).look(config, network, examples, chosen)


def score(config: Config, predictions: Predictions, examples: Examples) -> Results:
    """Figures under the configured protocol."""
    baselines = count_baselines(examples, config.evaluation.batch_images)
    return evaluate(examples, predictions, baselines, protocol_of(config))


def validate(
    config: Config, network: TrainedNetwork, examples: Examples
) -> tuple[dict[str, float], UInt8[np.ndarray, 'height width 3']]:
    """Scalars and a picture for the log of a training run."""
    results = score(config, measure(config, network, examples), examples)
    scalars = {
        checkpoints.SCORE: (results.overall.jaccard + results.overall.jaccard_ungated) / 2,
        'validation_jaccard': results.overall.jaccard,
        'validation_jaccard_ungated': results.overall.jaccard_ungated,
        'validation_precision': results.overall.precision,
        'validation_balanced_accuracy': results.decision.balanced_accuracy,
        'validation_auc': results.decision.auc,
    }
    chosen = np.array(_pairs_in_picture(examples, config.seed))
    masks = look(config, network, examples, chosen).masks
    return scalars, _picture(examples.subset(chosen.ravel()), masks.reshape(-1, *masks.shape[2:]))


def _pairs_in_picture(examples: Examples, seed: int) -> list[pair_samples.Pair]:
    """Pairs with a common object; those without one in a part that is all outliers."""
    pool = pair_samples.draw_pool(len(examples), seed)
    positive = pair_samples.draw_positive(examples, IN_PICTURE, seed)
    return positive or pair_samples.draw_negative(examples, pool, IN_PICTURE, seed)


def _picture(examples: Examples, masks: Bool[np.ndarray, 'n h w']) -> UInt8[np.ndarray, 'height width 3']:
    """The images side by side; under each its true objects and its mask."""
    objects = np.asarray(examples.masks) > 0
    gray = [np.repeat(m[..., None].astype(np.uint8) * 255, 3, -1) for m in (objects, masks)]
    return np.concatenate([np.concatenate(list(row), 1) for row in (np.asarray(examples.images), *gray)])
