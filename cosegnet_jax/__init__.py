"""CoSegNet (Banerjee et al., IJCAI 2019) in JAX: image co-segmentation without class labels."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cosegnet_jax.inference.cosegmentation import CoSegmentation
    from cosegnet_jax.inference.cosegmenter import CoSegmenter

__version__ = '0.1.0'
__all__ = ['CoSegmentation', 'CoSegmenter', '__version__']

_HOMES = {
    'CoSegmentation': 'cosegnet_jax.inference.cosegmentation',
    'CoSegmenter': 'cosegnet_jax.inference.cosegmenter',
}


def __getattr__(name: str) -> Any:
    """Import a class of the API when it is asked for: it brings JAX, and most modules need none."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted(__all__)
