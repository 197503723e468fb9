"""Loss of the partner head: masks beside a partner, with all else fixed."""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxtyping import Array, Bool, Float

from cosegnet_jax.losses.pyramid import mask_losses
from cosegnet_jax.networks.partner import PartnerHead, Places, beside_partner, objects_at
from cosegnet_jax.ops import resizing


class Seen(NamedTuple):
    """What the head reads of photos, on the host or on devices."""

    fine: Float[Any, 'n h w c']  # a map of the encoder
    coarse: Float[Any, 'n h2 w2 c2']  # the next one, half as fine
    logits: Float[Any, 'n h4 w4']  # of the masks, at the decoder's finest stride


def batch_loss(
    head: PartnerHead, first: Seen, second: Seen, truth: Bool[Array, 'n height width']
) -> Float[Array, '']:
    """Compute the mean loss of masks beside partners: cross-entropy and a soft Jaccard index.

    Args:
        head: The partner head.
        first: Photos.
        second: Their partners.
        truth: The pixels of the objects of each photo that its partner shows, too.
    """
    compared = head(
        *(Places(head.places(seen[:2]), objects_at(seen.logits, seen.fine)) for seen in (first, second))
    )
    alone = resizing.enlarge_bilinearly(first.logits, truth.shape[1] // first.logits.shape[1])
    return mask_losses(beside_partner(alone, compared), truth, 1.0).mean()
