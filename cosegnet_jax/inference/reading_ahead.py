"""Photos that threads read and resize while the network is at those before them."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import UInt8

from cosegnet_jax.data.files.photos import find_blank, squash_photo
from cosegnet_jax.inference.photo_reading import Source, read
from cosegnet_jax.runtime.errors import UserError

THREADS = 4  # that decode photos; a few large photos are in memory at a time

Item = TypeVar('Item')
Result = TypeVar('Result')


class Seen(NamedTuple):
    """One photo as it goes into the network."""

    size: tuple[int, int]  # height and width of the photo, upright
    pixels: UInt8[np.ndarray, 'side side 3']
    blank: str  # see `cosegmentation.Described`


def read_ahead(sources: Iterable[Source], side: int) -> Iterator[Seen | UserError]:
    """Reads photos in threads, and gives them in their order; of one that cannot be read, why.

    Args:
        sources: Photos, as of `photo_reading.read`; a dozen are taken before the first is given.
        side: Pixels of the network's photos.
    """
    return _in_threads(partial(_see, side), sources)


def _see(side: int, source: Source) -> Seen | UserError:
    try:
        pixels = np.asarray(read(source))
    except UserError as error:
        return error
    return Seen(pixels.shape[:2], squash_photo(pixels, side), find_blank(pixels) or '')


def _in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    pool = ThreadPoolExecutor(THREADS)
    waiting: collections.deque[Future[Result]] = collections.deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
