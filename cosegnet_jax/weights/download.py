"""The published ImageNet weights, fetched once and kept in the user's cache."""

from __future__ import annotations

import logging
from pathlib import Path

import pooch

from cosegnet_jax.runtime.errors import UserError

# Simonyan and Zisserman's VGG16 without its fully connected layers, as Keras publishes it; 59 MB.
IMAGENET_URL = (
    'https://storage.googleapis.com/tensorflow/keras-applications/vgg16/'
    'vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5'
)
IMAGENET_CHECKSUM = 'md5:6d6bbae143d832006294945121d1f1fc'


def fetch(url: str, checksum: str, folder: Path) -> Path:
    """File of `url` in `folder`, downloaded unless it is there already; its checksum is tested either way.

    Args:
        url: Where the file is published.
        checksum: '<algorithm>:<hex digest>'.
        folder: Made if it does not exist.

    Raises:
        UserError: It could not be downloaded or stored, or what came is another file.
    """
    pooch.get_logger().setLevel(logging.ERROR)  # it announces every download and every checksum
    name = url.rpartition('/')[2]
    try:
        return Path(pooch.retrieve(url, checksum, fname=name, path=folder, progressbar=True))
    except (OSError, ValueError) as error:
        # Errors of network and disk are OSErrors; a checksum that differs is a plain ValueError.
        reason = type(error).__name__ if isinstance(error, OSError) else 'wrong checksum'
        raise UserError(
            f'could not download {url} to {folder} ({reason}): fetch it elsewhere and pass '
            '--config.model.weights=FILE, or start at random with --config.model.weights=none'
        ) from error


def fetch_imagenet() -> Path:
    """Return the Keras file of VGG16's ImageNet convolutions, from the cache or from its public address."""
    return fetch(IMAGENET_URL, IMAGENET_CHECKSUM, pooch.os_cache('cosegnet_jax'))
