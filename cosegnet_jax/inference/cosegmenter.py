"""A trained network on photos: each is looked at once, and every pair decided."""

from __future__ import annotations

import collections
import dataclasses
import numbers
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

import jax
import numpy as np
from jaxtyping import Bool, Float32, Int, Int8, UInt8
from PIL import Image
from scipy import sparse

from cosegnet_jax.export import pretrained
from cosegnet_jax.inference import guided_filter
from cosegnet_jax.inference.cosegmentation import MASK_THRESHOLD, NOWHERE, CoSegmentation, Described
from cosegnet_jax.inference.groups import partners
from cosegnet_jax.inference.groups.grouping import group
from cosegnet_jax.inference.groups.neighbors import candidates
from cosegnet_jax.inference.groups.sparse_grouping import group_near
from cosegnet_jax.inference.photo_reading import Source, name_of, read, several
from cosegnet_jax.inference.reading_ahead import Seen, read_ahead
from cosegnet_jax.networks.image_network import (
    PAIR_BLOCK,
    ImageNetwork,
    PartnerNetwork,
    masks_beside_partner,
)
from cosegnet_jax.runtime import compilation_cache
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.on_demand import OnDemand

# Photos looked at together, padded to one size: a second size would be compiled anew, which takes longer than
# a few photos in vain. Twice as many are lost at most when a program is killed.
BATCH = 4
ACCELERATED = 32  # on each GPU or TPU


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CoSegmenter:
    """A trained CoSegNet, made by `from_pretrained`."""

    network: ImageNetwork
    mask_threshold: float = MASK_THRESHOLD  # a pixel belongs to the object from this probability on
    keep_outliers: bool = False  # whether photos that belong to no group keep their masks
    refine: bool = False  # whether masks follow the edges of the photo; see `guided_filter`

    def __post_init__(self) -> None:
        """Refuses a mask threshold out of range."""
        _check_level('mask_threshold', self.mask_threshold)

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike | None = None,
        step: int | None = None,
        mask_threshold: float = MASK_THRESHOLD,
    ) -> CoSegmenter:
        """Reads a trained network.

        Args:
            name: Folder of a run, the --workdir of `cosegnet train`; a model file of `cosegnet export` or a
                folder that holds it; or a repository on the Hugging Face Hub, hf:OWNER/NAME or
                hf:OWNER/NAME@REVISION, which is downloaded once. None is the network that comes with the
                package.
            step: Which checkpoint of a run; None is the best by validation.
            mask_threshold: A pixel belongs to the object from this probability on.

        Raises:
            UserError: There is no such network, it is damaged, it cannot be downloaded, or it is of a kind
                that looks at pairs; or the mask threshold is not in [0, 1].
        """
        compilation_cache.enable()
        name = None if name is None else os.fspath(name)
        return cls(pretrained.load(name, meshes.data_mesh(), step), mask_threshold)

    def __repr__(self) -> str:
        config, trained = self.network.config, self.network.dataset or 'nothing that is known'
        return (
            f'CoSegmenter({config.model.name}, {config.scored_size}x{config.scored_size} pixels, trained on '
            f'{trained} to step {self.network.step}, mask_threshold={self.mask_threshold:g})'
        )

    def describe(self, images: Iterable[Source]) -> Iterator[Described]:
        """What the network sees in each photo, in their order; each is looked at once.

        Threads read photos as they are needed, while the network is at those before them: a dozen, and the
        photos of two batches at the network's size, are in memory. Every batch is padded to the same number
        of photos, so that one program is compiled.

        Args:
            images: Any number of photos of any sizes; `photo_reading.read` says of what kinds.

        Raises:
            UserError: A photo cannot be read, or there is one name in place of several photos.
        """
        side = self.network.config.scored_size
        return self.describe_seen(map(_readable, read_ahead(several(images), side)))

    def describe_seen(self, photos: Iterable[Seen]) -> Iterator[Described]:
        """The same of photos that have been read."""
        meshes.check_process()
        under_way: collections.deque[Seen] = collections.deque()

        def pixels() -> Iterator[UInt8[np.ndarray, 'side side 3']]:
            for seen in photos:
                under_way.append(seen)
                yield seen.pixels

        size = BATCH if jax.default_backend() == 'cpu' else ACCELERATED * self.network.mesh.size
        for masks, embeddings, places in self.network.describe(_batches(pixels(), size), size):
            packed = [NOWHERE] * len(masks) if places is None else partners.pack(places)
            masks = np.round(masks * 255).astype(np.uint8)
            for mask, embedding, of_photo in zip(masks, embeddings, packed, strict=True):
                seen = under_way.popleft()
                yield Described(seen.size, mask, embedding, seen.blank, of_photo)

    def decide(self, embeddings: Float32[np.ndarray, 'n 64']) -> Float32[np.ndarray, 'n n']:
        """Probability that two photos share an object, the mean of both orders; 1 on the diagonal."""
        meshes.check_process()
        table = np.empty((len(embeddings), len(embeddings)), np.float32)
        for start in range(0, len(embeddings), PAIR_BLOCK):
            rows = slice(start, start + PAIR_BLOCK)
            block = self.network.decide(embeddings[rows], embeddings[start:], symmetric=True)
            inside = block[:, : len(block)]
            inside[:] = (inside + inside.T) / 2  # the two halves differ by what float32 rounds
            table[rows, start:], table[start:, rows] = block, block.T
        np.fill_diagonal(table, 1)
        return table

    def decide_some(
        self, embeddings: Float32[np.ndarray, 'n 64'], pairs: Int[np.ndarray, 'p 2']
    ) -> sparse.csr_array:
        """The same of some pairs of different photos, each given once, and 1 on the diagonal; no others."""
        meshes.check_process()
        decided = self.network.decide_pairs(embeddings, pairs)
        (first, second), itself = pairs.T, np.arange(len(embeddings))
        rows, columns = np.concatenate([first, second, itself]), np.concatenate([second, first, itself])
        values = np.concatenate([decided, decided, np.ones(len(embeddings), np.float32)])
        return sparse.csr_array((values, (rows, columns)), (len(embeddings), len(embeddings)))

    def cosegment(
        self, images: Iterable[Source], threshold: float = 0.5, neighbors: int | None = None
    ) -> CoSegmentation:
        """Finds what photos have in common.

        Args:
            images: Two or more photos of any sizes; `photo_reading.read` says of what kinds. Their names are
                the paths, or 'photo 0' and so on.
            threshold: Photos are grouped at this mean probability of sharing an object; see `grouping.group`.
            neighbors: Only so many pairs of each photo are decided; see `relate`.

        Raises:
            UserError: There are fewer than two, or one cannot be read.
        """
        _check_level('threshold', threshold)  # before anything is looked at
        images = list(several(images))
        names = tuple(name_of(image) or f'photo {number}' for number, image in enumerate(images))
        return self.relate(names, images, list(self.describe(images)), threshold, neighbors)

    def relate(
        self,
        names: tuple[str, ...],
        images: Sequence[Source],
        described: Sequence[Described],
        threshold: float,
        neighbors: int | None = None,
    ) -> CoSegmentation:
        """Decides and groups photos that have been described.

        Args:
            names: Of the photos.
            images: The photos.
            described: From `describe`.
            threshold: As that of `cosegment`.
            neighbors: For collections whose pairs are too many: decide each photo with so many that are
                near it; see `neighbors.candidates` and `sparse_grouping.group_near`. None decides all pairs.

        Raises:
            UserError: There are fewer than two.
        """
        if len(names) < 2:
            raise UserError(f'{len(names)} photo(s), and a pair takes two: give more')
        _check_level('threshold', threshold)
        if neighbors is not None and not (isinstance(neighbors, numbers.Integral) and neighbors > 0):
            raise UserError(f'neighbors={neighbors}: must be a whole number from 1 on, or None for all pairs')
        embeddings = np.stack([one.embedding for one in described])
        if neighbors is None or neighbors >= len(names) - 1:
            probabilities = self.decide(embeddings)
            found = group(probabilities, threshold)
        else:
            probabilities = self.decide_some(embeddings, candidates(embeddings, neighbors))
            found = group_near(embeddings, probabilities, self.network, self.decide, threshold)
        beside = {}
        if isinstance(self.network, PartnerNetwork):
            beside = partners.compare_groups(
                self.network.compare, partial(_places, described), found.groups, probabilities
            )
        rows = range(len(names))
        guides = images if self.refine else None
        emptied = frozenset(() if self.keep_outliers else found.outliers)
        return CoSegmentation(
            names=names,
            masks=OnDemand(partial(_mask, described, beside, guides, emptied, self.mask_threshold), rows),
            soft_masks=OnDemand(partial(_soft_mask, described, beside, guides), rows),
            probabilities=probabilities,
            groups=found.groups,
            outliers=found.outliers,
            embeddings=embeddings,
            photos=OnDemand(partial(_photo, images), rows),
            mask_threshold=self.mask_threshold,
            threshold=threshold,
        )


def _check_level(name: str, value: float) -> None:
    """Refuses what is no probability.

    Raises:
        UserError: It is not.
    """
    if not (isinstance(value, numbers.Real) and 0 <= value <= 1):  # nor is NaN
        raise UserError(f'{name}={value}: must be a number from 0 to 1')


def _readable(seen: Seen | UserError) -> Seen:
    if isinstance(seen, UserError):
        raise seen
    return seen


def _batches(
    photos: Iterator[UInt8[np.ndarray, 'side side 3']], size: int
) -> Iterator[UInt8[np.ndarray, 'n side side 3']]:
    while some := list(islice(photos, size)):
        yield np.stack(some)


# Functions of the module, and not of `relate`, so that results can be pickled.


def _places(described: Sequence[Described], index: int) -> Int8[np.ndarray, 'h w numbers']:
    return described[index].places


def _soft_mask(
    described: Sequence[Described],
    beside: Mapping[int, Float32[np.ndarray, 'h w']],
    guides: Sequence[Source] | None,
    index: int,
) -> Float32[np.ndarray, 'height width']:
    one = described[index]
    if index in beside:
        small = np.asarray(masks_beside_partner(one.soft_mask[None], beside[index][None])[0])
    else:
        small = one.soft_mask.astype(np.float32) / 255
    if guides is None:
        return enlarged(small, one.size)
    return guided_filter.refine(small, read(guides[index]))


def enlarged(
    mask: Float32[np.ndarray, 'side side'], size: tuple[int, int]
) -> Float32[np.ndarray, 'height width']:
    """A soft mask at the size of its photo, enlarged bilinearly."""
    height, width = size
    return np.array(Image.fromarray(mask).resize((width, height), Image.Resampling.BILINEAR))


def _mask(
    described: Sequence[Described],
    beside: Mapping[int, Float32[np.ndarray, 'h w']],
    guides: Sequence[Source] | None,
    emptied: frozenset[int],
    threshold: float,
    index: int,
) -> Bool[np.ndarray, 'height width']:
    if index in emptied:  # the gate
        return np.zeros(described[index].size, bool)
    return _soft_mask(described, beside, guides, index) >= threshold


def _photo(images: Sequence[Source], index: int) -> Image.Image:
    return read(images[index])
