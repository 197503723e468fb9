"""Evaluation of all pairs of some images of noise, and how its time grows with their number."""

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
    """All pairs of `config.evaluation.batch_images` images, each of which is described once."""
    images = config.evaluation.batch_images
    network, pixels, pairs = _network(config), _noise(config, images), _pairs(images)
    if isinstance(network, PairNetwork):
        once, masks = partial(_looked_at, network, pixels, pairs), pairs.size
    else:
        once, masks = partial(_described_and_decided, network, pixels), images

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
    """What takes time once an image and what once a pair: a row for each of `IMAGES`.

    The first row also has the time to run the network anew on both images of every pair, as networks must
    that take two images in; measured once, for it is long. Where `config.evaluation.batch_images` divides 50,
    no batch is padded.

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
    embedding = _described(network, pixels[:1])
    _decided(network, embedding)  # both are compiled now
    for images in IMAGES:
        pairs = _pairs(images)
        describe_s = timing.median_seconds(partial(_described, network, pixels[:images]), blocks, repeats)
        decide_s = timing.median_seconds(
            partial(_decided, network, embedding.repeat(images, 0)), blocks, repeats
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
            anew_s = timing.median_seconds(partial(_described, network, pixels[pairs.ravel()]), 1, 1)
            row |= {'every_pair_anew_s': anew_s, 'every_pair_anew_ratio': anew_s / (describe_s + decide_s)}
        yield row


def _described(network: ImageNetwork, pixels: UInt8[np.ndarray, 'n h w 3']) -> Float32[np.ndarray, 'n 64']:
    """Embeddings of images, whose masks are made, too, but not kept, as in evaluation."""
    size = network.config.evaluation.batch_images
    batches = (pixels[start : start + size] for start in range(0, len(pixels), size))
    return np.concatenate([embeddings for _, embeddings in network.describe(batches, size)])


def _described_and_decided(
    network: ImageNetwork, pixels: UInt8[np.ndarray, 'n h w 3']
) -> Float32[np.ndarray, 'n n']:
    return _decided(network, _described(network, pixels))


def _decided(network: ImageNetwork, embeddings: Float32[np.ndarray, 'n 64']) -> Float32[np.ndarray, 'n n']:
    """Probability of every pair that it shares an object."""
    return network.decide(embeddings, embeddings, network.config.evaluation.symmetric)


def _looked_at(
    network: PairNetwork, pixels: UInt8[np.ndarray, 'n h w 3'], pairs: Int[np.ndarray, 'p 2']
) -> Float32[np.ndarray, ' p']:
    """The same of a network that makes masks of pairs: the highest probability of a pixel."""
    size = network.config.evaluation.batch_images
    masks = network.pair_masks(network.describe([pixels], size), pairs, size)
    return np.concatenate([some.max((1, 2, 3)) for some in masks])


def _network(config: Config) -> ImageNetwork | PairNetwork:
    """The configured network with random weights on every device."""
    mesh = meshes.data_mesh()
    place = meshes.replicated(mesh)
    params = jax.jit(lambda: state.random_params(config.model, config.seed), out_shardings=place)()
    return networks.trained(config, params, mesh)


def _noise(config: Config, images: int) -> UInt8[np.ndarray, 'n h w 3']:
    shape = images, config.image_size, config.image_size, 3
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _pairs(images: int) -> Int[np.ndarray, 'pairs 2']:
    """All unordered pairs of numbers below `images`."""
    return np.stack(np.triu_indices(images, 1), axis=1)
