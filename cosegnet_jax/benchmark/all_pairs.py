"""Evaluation of all pairs of images of noise, and how its time grows with their number."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import jax
import numpy as np
from jaxtyping import Float32, Int, UInt8

from cosegnet_jax import networks
from cosegnet_jax.benchmark import counting, timing
from cosegnet_jax.benchmark.row import Row, about, rates
from cosegnet_jax.config import Config
from cosegnet_jax.networks.image_network import ImageNetwork
from cosegnet_jax.networks.pair_network import PairNetwork
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import state

IMAGES = (50, 100, 200, 400)  # of the mode 'pairs'


def evaluate(config: Config, blocks: int, repeats: int) -> Iterator[Row]:
    """Measure all pairs of `config.evaluation.batch_images` images, each described once."""
    images = config.evaluation.batch_images
    network, pixels, pairs = _network(config), _noise(config, images), _pairs(images)
    if isinstance(network, PairNetwork):
        once, masks = partial(_decide_by_masks, network, pixels, pairs), pairs.size
    else:
        once, masks = partial(_describe_and_decide, network, pixels), images

    start = time.perf_counter()
    once()
    compile_s = time.perf_counter() - start
    seconds = timing.median_seconds(once, blocks, repeats)
    yield {
        **about(config, network.mesh),
        'images': images,
        'images_per_s': images / seconds,
        'pairs_per_s': len(pairs) / seconds,
        's_per_step': seconds,
        **rates(config, network.mesh, lambda macs: counting.evaluation(macs, images, masks), seconds),
        'compile_s': compile_s,
    }


def growth(config: Config, blocks: int, repeats: int) -> Iterator[Row]:
    """Measure the time of images and of pairs: a row for each of `IMAGES`.

    The first row also has the time to run the network on both images of every pair, as networks of pairs
    must; measured once, since it is long. If `config.evaluation.batch_images` divides 50, no batch is padded.

    Raises:
        UserError: The network makes its masks once a pair.
    """
    network = _network(config)
    if isinstance(network, PairNetwork):
        raise UserError(
            f'config.model.name={config.model.name}: --mode=pairs is about masks made once an image; '
            'use cosegnet, or --mode=eval'
        )
    pixels = _noise(config, max(IMAGES))
    embedding = _describe(network, pixels[:1])
    _decide(network, embedding)  # both are compiled now
    for images in IMAGES:
        pairs = _pairs(images)
        describe_s = timing.median_seconds(partial(_describe, network, pixels[:images]), blocks, repeats)
        decide_s = timing.median_seconds(
            partial(_decide, network, embedding.repeat(images, 0)), blocks, repeats
        )
        row = {
            **about(config, network.mesh),
            'images': images,
            'pairs': len(pairs),
            'describe_s': describe_s,
            'describe_s_per_image': describe_s / images,
            'decide_s': decide_s,
            'decide_s_per_pair': decide_s / len(pairs),
        }
        if images == IMAGES[0]:
            anew_s = timing.median_seconds(partial(_describe, network, pixels[pairs.ravel()]), 1, 1)
            row |= {'every_pair_anew_s': anew_s, 'every_pair_anew_ratio': anew_s / (describe_s + decide_s)}
        yield row


def _describe(network: ImageNetwork, pixels: UInt8[np.ndarray, 'n h w 3']) -> Float32[np.ndarray, 'n 64']:
    """Compute embeddings, and masks that are not stored, as in evaluation."""
    size = network.config.evaluation.batch_images
    batches = (pixels[start : start + size] for start in range(0, len(pixels), size))
    return np.concatenate([one.embeddings for one in network.describe(batches, size)])


def _describe_and_decide(
    network: ImageNetwork, pixels: UInt8[np.ndarray, 'n h w 3']
) -> Float32[np.ndarray, 'n n']:
    return _decide(network, _describe(network, pixels))


def _decide(network: ImageNetwork, embeddings: Float32[np.ndarray, 'n 64']) -> Float32[np.ndarray, 'n n']:
    """Compute the probability of every pair."""
    return network.decide(embeddings, embeddings, network.config.evaluation.symmetric)


def _decide_by_masks(
    network: PairNetwork, pixels: UInt8[np.ndarray, 'n h w 3'], pairs: Int[np.ndarray, 'p 2']
) -> Float32[np.ndarray, ' p']:
    """Compute the probability of pairs from their masks: the highest of a pixel."""
    size = network.config.evaluation.batch_images
    masks = network.pair_masks(network.describe([pixels], size), pairs, size)
    return np.concatenate([some.max((1, 2, 3)) for some in masks])


def _network(config: Config) -> ImageNetwork | PairNetwork:
    """Make the configured network with random weights on every device."""
    mesh = meshes.data_mesh()
    place = meshes.replicated(mesh)
    params = jax.jit(lambda: state.random_params(config.model, config.seed), out_shardings=place)()
    return networks.trained(config, params, mesh)


def _noise(config: Config, images: int) -> UInt8[np.ndarray, 'n h w 3']:
    shape = images, config.image_size, config.image_size, 3
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _pairs(images: int) -> Int[np.ndarray, 'pairs 2']:
    """List all unordered pairs of numbers below `images`."""
    return np.stack(np.triu_indices(images, 1), axis=1)
