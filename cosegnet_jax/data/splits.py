"""Random 3:1:1 splits into train, validation and test, class by class (§4.1)."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
from jaxtyping import Int

from cosegnet_jax.data.examples import NO_CLASS
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.names import compose

_PAIR = 2  # images of a class that form a pair with a common object


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Indices of the images of each part, ascending; an image is in one part at most."""

    train: Int[np.ndarray, ' n_train']
    validation: Int[np.ndarray, ' n_validation']
    test: Int[np.ndarray, ' n_test']


def stratified(
    labels: Int[np.ndarray, 'n objects'], seed: int, index: int = 0, ratios: tuple[int, int, int] = (3, 1, 1)
) -> Split:
    """Draw split number `index` of a seed, in `ratios` within each class.

    A part has none or at least two images of a class, since one image forms no pair. Training always has two,
    then the test part, then the validation part. At 3:1:1 a class of 2 or 3 images is all training, one of 4
    or 5 has two in test, one of 6 or more has two or more in every part. An image of several classes counts
    for the rarest of them only, so the others may have one image more or less in a part.

    Each class has its own seed: where images have one class each, images that join or leave a class do not
    move images of another class.

    Args:
        labels: Classes of each image.
        seed: 0 or more.
        index: Number of the split, from 0.
        ratios: Shares of train, validation and test.

    Raises:
        UserError: A class has a single image.
    """
    parts = ([], [], [])
    rarest = _rarest(labels)
    for label, count in zip(*np.unique(rarest, return_counts=True), strict=True):
        if count < _PAIR and labels.shape[1] == 1:
            raise UserError(
                f'class number {label} has one image, and a pair takes two: add images or remove the class'
            )
        random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index, int(label))))
        drawn = random.permutation(np.flatnonzero(rarest == label))
        ends = np.cumsum(_sizes(int(count), ratios))
        for part, members in zip(parts, np.split(drawn, ends[:-1]), strict=True):
            part.append(members)
    empty = np.empty(0, np.intp)
    return Split(*(np.sort(np.concatenate([empty, *part])) for part in parts))


def _rarest(labels: Int[np.ndarray, 'n objects']) -> Int[np.ndarray, ' n']:
    """Find the class of each image that has the fewest images."""
    listed = labels[labels != NO_CLASS]
    counts = np.bincount(listed, minlength=1)
    images = np.where(labels == NO_CLASS, len(listed) + 1, counts[labels])
    return np.take_along_axis(labels, images.argmin(1)[:, None], 1)[:, 0]


def _sizes(count: int, ratios: tuple[int, int, int]) -> tuple[int, int, int]:
    """Divide a class of `count` images into train, validation and test."""
    spare = count - _PAIR
    held_out = []
    for ratio in (ratios[2], ratios[1]):
        share = max(_PAIR, round(count * ratio / sum(ratios))) if ratio else 0
        share = min(share, spare)
        share = share if share >= _PAIR else 0
        spare -= share
        held_out.append(share)
    test, validation = held_out
    return spare + _PAIR, validation, test


def keep_copies_together(split: Split, first_copy: Int[np.ndarray, ' n']) -> Split:
    """Moves each image into the part of its first copy, so that none is scored whose copy was trained on.

    Args:
        split: From `stratified`.
        first_copy: For each image the first one that looks like it (`thumbnails.first_copies`).
    """
    part_of = np.empty(len(first_copy), np.intp)
    names = [field.name for field in dataclasses.fields(Split)]
    for number, name in enumerate(names):
        part_of[getattr(split, name)] = number
    return Split(*(np.flatnonzero(part_of[first_copy] == number) for number in range(len(names))))


def leave_out_classes(split: Split, labels: Int[np.ndarray, 'n objects'], ways: int) -> list[Split]:
    """Splits that test on classes which training never shows: number k leaves out classes k, k + ways, ...

    An image that shows a class which is left out is not trained on. One that shows only such classes is
    tested on. All others keep their part, and the old test part joins training.

    Args:
        split: Says which images are for validation.
        labels: Classes that each image shows, NO_CLASS elsewhere.
        ways: How many splits there are.
    """
    splits = []
    for way in range(ways):
        left_out = (labels % ways == way) & (labels != NO_CLASS)
        known = ~left_out.any(1)
        new = (left_out | (labels == NO_CLASS)).all(1) & ~known
        validation = np.intersect1d(split.validation, np.flatnonzero(known))
        train = np.setdiff1d(np.flatnonzero(known), validation)
        splits.append(Split(train, validation, np.flatnonzero(new)))
    return splits


def listing(split: Split, filenames: tuple[str, ...]) -> dict[str, list[str]]:
    """List the file names of each part."""
    return {
        field.name: [filenames[i] for i in getattr(split, field.name)] for field in dataclasses.fields(Split)
    }


def pinned(path: str | Path, filenames: tuple[str, ...], index: int) -> Split:
    """Read split number `index` of a file of listings; images that it does not name are in no part.

    Raises:
        UserError: The file cannot be read, has no such split, or names an image that is not there.
    """
    try:
        # Bytes: JSON detects UTF-8 and UTF-16, which some shells and editors write.
        parts = json.loads(Path(path).read_bytes())[index]
        listed = [list(parts[field.name]) for field in dataclasses.fields(Split)]
    except OSError as error:
        raise UserError(f'config.data.split_file={path}: {error.strerror}; name a readable file') from error
    except IndexError:
        raise UserError(f'{path}: holds no split number {index}; lower config.data.split') from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f'{path}: no list of splits; make one with cosegnet list-splits') from error
    numbers = {compose(name): number for number, name in enumerate(filenames)}
    listed = [[compose(name) if isinstance(name, str) else name for name in part] for part in listed]
    seen = set()
    for name in (name for part in listed for name in part):
        if not isinstance(name, str) or name not in numbers:
            raise UserError(f'{path}: {name} is not in the data set; use the data it was made for')
        if name in seen:
            raise UserError(f'{path}: {name} is named twice in split {index}; an image is in one part only')
        seen.add(name)
    return Split(*(np.array(sorted(numbers[name] for name in part), np.intp) for part in listed))
