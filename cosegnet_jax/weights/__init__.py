"""ImageNet weights of the encoders, from the formats in which they are published."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from cosegnet_jax.networks.encoders.efficientnet_lite import VARIANTS
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.weights.efficientnet_lite import load_efficientnet_lite
from cosegnet_jax.weights.vgg16 import load_vgg16

# Of each encoder: 'imagenet' or a file to the parameters of its layers by name.
LOADERS: dict[str, Callable[[str], dict[str, Any]]] = {
    'vgg16': load_vgg16,
    **{f'efficientnet_lite{n}': functools.partial(load_efficientnet_lite, variant=n) for n in VARIANTS},
}


def load(encoder: str, spec: str) -> dict[str, Any]:
    """Parameters of an encoder's layers by name.

    Args:
        encoder: As `config.model.encoder` calls it.
        spec: 'imagenet' or a file.

    Raises:
        UserError: They cannot be read, or nothing is known of where they would be.
    """
    if encoder not in LOADERS:
        raise UserError(f'config.model.weights={spec}: {encoder} has no published weights; use none')
    return LOADERS[encoder](spec)
