"""CoSegNet (Banerjee et al., IJCAI 2019) in JAX: image co-segmentation without class labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cosegnet_jax.inference.cosegmenter import CoSegmenter as CoSegmenter

__version__ = '0.1.0'


def __getattr__(name: str) -> Any:
    """`CoSegmenter`, imported when it is asked for: it takes JAX, which most modules here do without."""
    if name == 'CoSegmenter':
        from cosegnet_jax.inference.cosegmenter import CoSegmenter

        return CoSegmenter
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
