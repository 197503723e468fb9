"""Encoders: photos to feature maps. `ENCODERS` has them by the names of `config.model.encoder`.

Another package adds one by `ENCODERS['name'] = Encoder(...)` (docs/extending.md).
"""

from __future__ import annotations

from cosegnet_jax.networks.encoders import efficientnet_lite, vgg16
from cosegnet_jax.networks.encoders.interface import Encoder
from cosegnet_jax.runtime.errors import UserError

ENCODERS: dict[str, Encoder] = {
    'vgg16': vgg16.ENCODER,
    **{f'efficientnet_lite{n}': efficientnet_lite.encoder(n) for n in efficientnet_lite.VARIANTS},
}


def find_encoder(name: str) -> Encoder:
    """Find an encoder by name.

    Raises:
        UserError: There is none.
    """
    if name not in ENCODERS:
        raise UserError(f'config.model.encoder={name}: must be one of {", ".join(ENCODERS)}')
    return ENCODERS[name]
