"""Looks at the photos of a collection; those that cannot be read are named."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Sequence

from cosegnet_jax.inference.collection import Photo
from cosegnet_jax.inference.cosegmentation import Described
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.inference.reading_ahead import Seen, read_ahead
from cosegnet_jax.inference.results_folder import Skipped
from cosegnet_jax.runtime.errors import UserError, printable
from cosegnet_jax.runtime.progress import Progress


def describe_photos(
    segmenter: CoSegmenter, photos: Sequence[Photo], bar: Progress
) -> Iterator[tuple[Photo, Described | Skipped]]:
    """What the network sees in each photo, or why it cannot be read; each photo once, nearly in order.

    Args:
        segmenter: The network.
        photos: Which to look at.
        bar: Is moved by one for each.
    """
    under_way: collections.deque[Photo] = collections.deque()
    skipped: collections.deque[tuple[Photo, Skipped]] = collections.deque()

    def readable() -> Iterator[Seen]:
        side = segmenter.network.config.scored_size
        for photo, seen in zip(photos, read_ahead((photo.path for photo in photos), side), strict=True):
            if isinstance(seen, UserError):
                reason = str(seen).removeprefix(printable(f'{photo.path}: '))
                skipped.append((photo, Skipped(photo.name, reason)))
                bar.update()
                continue
            under_way.append(photo)
            yield seen

    for described in segmenter.describe_seen(readable()):
        yield under_way.popleft(), described
        bar.update()
        bar.restart_clock()  # the first has compiled the network
    yield from skipped
