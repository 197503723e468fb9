"""What the prepared sets have in common: features, checks, and the numbers that training needs first."""

from __future__ import annotations

import abc
import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import UInt8
from tqdm import tqdm

from cosegnet_jax.data.files import photos
from cosegnet_jax.data.files.remarks import NO_DOUBTS, Doubts, write_remarks
from cosegnet_jax.data.masks.mask_rules import BY_FILE
from cosegnet_jax.runtime.errors import UserError

_AT_ONCE = 256  # images encoded ahead of the writer


class Published(NamedTuple):
    """Counts of a published set."""

    classes: int
    images: int | None = None  # over all class folders: a photo in two of them counts twice
    photos: int | None = None  # each counts once
    images_of: Mapping[str, int] = {}  # by class, where published
    outliers_of: Mapping[str, int] = {}


@dataclasses.dataclass(frozen=True)
class Row:
    """One usable image."""

    filename: str  # '<class>/<stem>', unique
    classes: tuple[str, ...]  # the classes that it is filed under
    values: tuple[int, ...]  # value of each class in the mask that `encode` returns
    shares: tuple[float, ...]  # share of the image's pixels of each class
    encode: Callable[[], tuple[bytes, UInt8[np.ndarray, 'height width']]]  # photo file, mask
    doubts: Doubts = NO_DOUBTS


class Survey(NamedTuple):
    """Usable images, and a line with the reason for each file that cannot be used."""

    rows: list[Row]
    rejected: list[str]
    left_out: Mapping[str, int] = {}  # files in folders that hold no photos, by the folder's name


class CosegBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A set of photos with masks of what each class shows.

    Record i is image i. `info.metadata` has what `prepared_set.load` needs without reading records:
    'classes'; for each image 'filenames', 'labels' (numbers into the classes) and 'shares' (of pixels, per
    label); 'rejected', a line for each file or class that was left out; 'remarks', a line for each kind of
    doubt about the others; and 'mask_rules', the text of `mask_values` and `mask_orientation`.
    """

    VERSION = tfds.core.Version('1.0.0')
    RELEASE_NOTES: ClassVar = {'1.0.0': 'First release.'}
    # TFDS finds checksums.tsv beside it. By itself it would look with a package that it does not install.
    code_path: ClassVar[Any] = Path(__file__)

    rules = BY_FILE  # how to read masks when preparing; `make` sets it

    DESCRIPTION: ClassVar[str]
    HOMEPAGE: ClassVar[str | None] = None
    CITATION: ClassVar[str | None] = None
    LICENSE: ClassVar[str | None] = None
    published: Published | None = None  # counts to compare with

    @property
    def config_name(self) -> str:
        """Name of the chosen config, such as 'all' of 'msrc/all'; '' where the set has none."""
        return self.builder_config.name if self.builder_config else ''

    @abc.abstractmethod
    def survey(self, dl_manager: tfds.download.DownloadManager) -> Survey:
        """Check every image of the set.

        Raises:
            UserError: The set is not where it should be.
        """

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            'image': tfds.features.Image(shape=(None, None, 3), doc='Photo, upright.'),
            'mask': tfds.features.Image(
                shape=(None, None, 1),
                encoding_format='png',
                doc='0 background, k an object of labels[k - 1].',
            ),
            'labels': tfds.features.Sequence(tfds.features.ClassLabel()),
            'filename': tfds.features.Text(doc='<class>/<stem>'),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.DESCRIPTION,
            features=tfds.features.FeaturesDict(features),
            homepage=self.HOMEPAGE,
            citation=self.CITATION,
            license=self.LICENSE,
            metadata=tfds.core.MetadataDict(),
            disable_shuffling=True,  # record i is image i
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        rows, rejected, left_out = self.survey(dl_manager)
        rows, lonely = _without_lonely_classes(rows)
        rejected = [*rejected, *lonely]
        if not rows:
            first = f'; the first of {len(rejected)} problems: {rejected[0]}' if rejected else ''
            raise UserError(f'{self.name}: no image that can be used{first}')
        classes = sorted({name for row in rows for name in row.classes})
        features: Any = self.info.features
        features['labels'].feature.names = classes
        metadata: Any = self.info.metadata
        metadata.update(
            classes=classes,
            filenames=[row.filename for row in rows],
            labels=[[classes.index(name) for name in row.classes] for row in rows],
            shares=[list(row.shares) for row in rows],
            rejected=rejected,
            remarks=write_remarks({row.filename: row.doubts for row in rows}, left_out),
            mask_rules=[self.rules.values.text, self.rules.orientation],
        )
        return {'train': self._generate_examples(rows)}

    def _generate_examples(self, rows: Sequence[Row]) -> Iterator[tuple[int, dict[str, Any]]]:
        # TFDS sorts records by key in buckets, and holds one bucket in memory. Keys over all 128 bits fill
        # all buckets; 0, 1, 2 ... would fill only one.
        step = 2**128 // len(rows)
        with ThreadPoolExecutor() as pool:
            for start in range(0, len(rows), _AT_ONCE):
                examples = pool.map(_example, rows[start : start + _AT_ONCE])
                for index, example in enumerate(examples, start):
                    yield index * step, example


def check_all(checks: Sequence[Callable[[], Row]]) -> Survey:
    """Run the checks of all images in threads; a UserError becomes a rejection."""

    def attempt(check: Callable[[], Row]) -> Row | UserError:
        try:
            return check()
        except UserError as error:
            return error

    with ThreadPoolExecutor() as pool:
        found = pool.map(attempt, checks)
        found = list(tqdm(found, 'checking images', len(checks), leave=False, disable=None))
    rejected = [str(error) for error in found if isinstance(error, UserError)]
    return Survey([row for row in found if isinstance(row, Row)], rejected)


def _without_lonely_classes(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """Remove classes of fewer than two images, since a pair takes two."""
    counts = Counter(name for row in rows for name in row.classes)
    lonely = sorted(name for name, count in counts.items() if count < 2)
    kept = []
    for row in rows:
        stays = [name not in lonely for name in row.classes]
        if any(stays):
            classes, values, shares = (
                tuple(itertools.compress(part, stays)) for part in (row.classes, row.values, row.shares)
            )
            kept.append(dataclasses.replace(row, classes=classes, values=values, shares=shares))
    return kept, [f'{name}: a class with one image that can be used, and a pair takes two' for name in lonely]


def _example(row: Row) -> dict[str, Any]:
    """Make the features of a row; its mask has k where `row.values[k - 1]` was."""
    photo, mask = row.encode()
    number = np.zeros(256, np.uint8)
    number[list(row.values)] = np.arange(1, len(row.values) + 1)
    return {
        'image': photo,
        'mask': photos.png(number[mask]),
        'labels': row.classes,
        'filename': row.filename,
    }
