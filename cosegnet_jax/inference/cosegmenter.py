"""A trained network on photos: each is looked at once, and every pair decided."""

from __future__ import annotations

import collections
import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

import numpy as np
from jaxtyping import Float32, Int, UInt8
from PIL import Image
from scipy import sparse

from cosegnet_jax.data.files.photos import find_blank, squash_photo
from cosegnet_jax.export import model_file, pretrained
from cosegnet_jax.inference.cosegmentation import MASK_THRESHOLD, CoSegmentation, Described
from cosegnet_jax.inference.grouping import group
from cosegnet_jax.inference.neighbors import candidates
from cosegnet_jax.inference.photo_reading import Source, name_of, read
from cosegnet_jax.inference.sparse_grouping import group_near
from cosegnet_jax.networks.image_network import ImageNetwork
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.on_demand import OnDemand
from cosegnet_jax.runtime.places import local_path
from cosegnet_jax.training import checkpoints

BATCH = 8  # photos looked at together, and what is lost at most, twice, when a program is killed


@dataclasses.dataclass(frozen=True, eq=False)
class CoSegmenter:
    """A trained CoSegNet, to be made by `load` or `from_pretrained`."""

    network: ImageNetwork
    mask_threshold: float = MASK_THRESHOLD  # a pixel belongs to the object from this probability on

    @classmethod
    def load(
        cls, path: str | os.PathLike, step: int | None = None, mask_threshold: float = MASK_THRESHOLD
    ) -> CoSegmenter:
        """Reads a trained network.

        Args:
            path: Folder of a run, the --workdir of `cosegnet train`, or a model file of cosegnet export.
            step: Which checkpoint of a run; None is the best by validation.
            mask_threshold: A pixel belongs to the object from this probability on.

        Raises:
            UserError: There is none, it is damaged, or it is of a network that looks at pairs.
        """
        path, mesh = local_path(path), meshes.data_mesh()
        if path.is_file():
            network = model_file.read(path, mesh)
            if step not in (None, network.step):
                raise UserError(f'{path}: holds step {network.step} and not {step}; leave the step out')
        else:
            network = checkpoints.load_network(path, None, mesh, step)
            model_file.check_kind(network.config.model, path)
        return cls(network, mask_threshold)

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike, mask_threshold: float = MASK_THRESHOLD) -> CoSegmenter:
        """Reads an exported network.

        Args:
            name: The model file; a folder that holds it; or a repository on the Hugging Face Hub,
                hf:OWNER/NAME or hf:OWNER/NAME@REVISION, which is downloaded once.
            mask_threshold: As that of `load`.

        Raises:
            UserError: There is no such thing, it cannot be downloaded, or `load` refuses it.
        """
        return cls.load(pretrained.find(os.fspath(name)), mask_threshold=mask_threshold)

    def describe(self, images: Iterable[Source]) -> Iterator[Described]:
        """What the network sees in each photo, in their order; each is looked at once.

        Photos are read as they are needed, and some dozen are in memory, at the network's size. Batches are
        padded to a power of two, so that networks of a few sizes are compiled at most.

        Args:
            images: Any number of photos of any sizes; `photo_reading.read` says of what kinds.

        Raises:
            UserError: A photo cannot be read, or there is one name in place of several photos.
        """
        sizes, blank = collections.deque(), collections.deque()

        def squashed() -> Iterator[UInt8[np.ndarray, 'side side 3']]:
            for image in _several(images):
                pixels = np.asarray(read(image))
                sizes.append(pixels.shape[:2])
                blank.append(find_blank(pixels) or '')
                yield squash_photo(pixels, self.network.config.image_size)

        batches = _batches(squashed())
        first = next(batches, None)
        if first is None:
            return
        size = 1 << (len(first) - 1).bit_length()
        for masks, embeddings in self.network.describe(chain([first], batches), size):
            for mask, embedding in zip(np.round(masks * 255).astype(np.uint8), embeddings, strict=True):
                yield Described(sizes.popleft(), mask, embedding, blank.popleft())

    def decide(self, embeddings: Float32[np.ndarray, 'n 64']) -> Float32[np.ndarray, 'n n']:
        """Probability that two photos share an object, the mean of both orders; 1 on the diagonal."""
        table = self.network.decide(embeddings, embeddings, symmetric=True)
        table = (table + table.T) / 2  # the two halves differ by what float32 rounds
        np.fill_diagonal(table, 1)
        return table

    def decide_some(
        self, embeddings: Float32[np.ndarray, 'n 64'], pairs: Int[np.ndarray, 'p 2']
    ) -> sparse.csr_array:
        """The same of some pairs of different photos, each given once, and 1 on the diagonal; no others."""
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
            images: Two or more photos: paths, images of Pillow, or uint8 arrays [h w], [h w 3] or [h w 4], of
                any sizes. Their names are the paths, or 'photo 0' and so on.
            threshold: Photos are grouped at this mean probability of sharing an object; see `grouping.group`.
            neighbors: Only so many pairs of each photo are decided; see `relate`.

        Raises:
            UserError: There are fewer than two, or one cannot be read.
        """
        images = list(_several(images))
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
            UserError: There are fewer than two, or faiss is not installed and needed.
        """
        if len(names) < 2:
            raise UserError(f'{len(names)} photo(s), and a pair takes two: give more')
        embeddings = np.stack([one.embedding for one in described])
        if neighbors is None or neighbors >= len(names) - 1:
            probabilities = self.decide(embeddings)
            found = group(probabilities, threshold)
        else:
            probabilities = self.decide_some(embeddings, candidates(embeddings, neighbors))
            found = group_near(embeddings, probabilities, self.decide, threshold)
        alone = frozenset(found.outliers)

        def soft_mask(index: int) -> Float32[np.ndarray, 'height width']:
            return described[index].full_size()

        def mask(index: int) -> np.ndarray:
            if index in alone:  # the gate
                return np.zeros(described[index].size, bool)
            return soft_mask(index) >= self.mask_threshold

        def photo(index: int) -> Image.Image:
            return read(images[index])

        rows = range(len(names))
        return CoSegmentation(
            names=names,
            masks=OnDemand(mask, rows),
            soft_masks=OnDemand(soft_mask, rows),
            probabilities=probabilities,
            groups=found.groups,
            outliers=found.outliers,
            embeddings=embeddings,
            photos=OnDemand(photo, rows),
            mask_threshold=self.mask_threshold,
        )


def _several(images: Iterable[Source]) -> Iterable[Source]:
    """Refuses one name: it has letters, and they are no photos."""
    if isinstance(images, str | os.PathLike):
        raise UserError(f'{os.fspath(images)}: give a list of photos, not one name')
    return images


def _batches(
    photos: Iterator[UInt8[np.ndarray, 'side side 3']],
) -> Iterator[UInt8[np.ndarray, 'n side side 3']]:
    while some := list(islice(photos, BATCH)):
        yield np.stack(some)
