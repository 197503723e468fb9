"""The interface of networks whose masks depend on the pair."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Float, UInt8


@runtime_checkable
class Pairwise(Protocol):
    """Describes each image once, and decodes each pair once in either order.

    A description is a named tuple of arrays whose first axis counts images, so that `jax.tree.map` selects
    the images of pairs. The twins share their weights: `pair_masks(second, first)` are the other masks.
    """

    def describe(self, images: UInt8[Array, 'n h w 3']) -> Any:
        """Compute all that depends on one image alone.

        Args:
            images: RGB, 0-255; height and width multiples of 32.

        Raises:
            UserError: A side is no multiple of 32.
        """
        ...

    def pair_masks(self, first: Any, second: Any) -> Float[Array, 'n height width']:
        """Compute mask logits of the first image of each pair, given the second; positive on the object.

        Args:
            first: Description of as many images as there are pairs.
            second: Description of their partners.
        """
        ...
