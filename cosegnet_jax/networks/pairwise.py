"""What the models have in common whose mask of an image depends on the image it is paired with."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Float, UInt8


@runtime_checkable
class Pairwise(Protocol):
    """Looks at each image once, and at each pair once in either order.

    A description is a named tuple of arrays whose first axis counts images, so that `jax.tree.map` picks
    the images of pairs. The twins share their weights: `pair_masks(second, first)` are the other masks.
    """

    def describe(self, images: UInt8[Array, 'n h w 3']) -> Any:
        """All that can be known of an image alone.

        Args:
            images: RGB, 0-255; height and width multiples of 32.

        Raises:
            UserError: If a side is no multiple of 32.
        """
        ...

    def pair_masks(self, first: Any, second: Any) -> Float[Array, 'n height width']:
        """Mask logits of the first image of each pair, given the second.

        An object is where they are positive.

        Args:
            first: Description of as many images as there are pairs.
            second: Description of their partners.
        """
        ...
