"""The data behind figures, stored beside an evaluation: one .npz of plain arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from cosegnet_jax.reports.figures.pair_views import ImageView, PairView, PairViews
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError


@dataclasses.dataclass(frozen=True, eq=False)
class FigureData:
    """The parts of an evaluation that figures show."""

    views: PairViews
    embedding: Float[np.ndarray, 'n 64'] | None  # fs of every image; None of models that only know pairs
    labels: Int[np.ndarray, 'n objects']  # of every image, numbers into `classes`, then NO_CLASS
    classes: tuple[str, ...]


def save(
    path: Path,
    views: PairViews,
    embedding: Float[np.ndarray, 'n 64'] | None,
    labels: Int[np.ndarray, 'n objects'],
    classes: tuple[str, ...],
) -> None:
    """Write the fields of `FigureData` as a whole: a crash leaves the old file.

    Args:
        path: file to write, ending in .npz; its folder is made where it is missing.
        views: pairs to look at; their images are of one size.
        embedding: fs of every image, where the model has one.
        labels: classes of every image.
        classes: their names.
    """
    pairs = [*views.positive, *views.ranked.values(), *views.negative]
    arrays = {
        **_pair_arrays(pairs),
        'positive': np.array(len(views.positive)),  # the first of the pairs; then one for each rank
        'ranks': np.array(list(views.ranked), str),
        'labels': labels,
        'class_names': np.array(classes, str),
    }
    if embedding is not None:
        arrays['embedding'] = embedding
    with files.write_atomically(path) as unfinished, unfinished.open('wb') as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load(path: Path) -> FigureData:
    """Read what `save` wrote.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    try:
        with path.open('rb') as file, np.load(file, allow_pickle=False) as content:
            arrays = dict(content)
        pairs = _pairs(arrays)
        negative = int(arrays['positive']) + len(arrays['ranks'])
        return FigureData(
            views=PairViews(
                positive=pairs[: arrays['positive']],
                ranked=dict(zip(arrays['ranks'].tolist(), pairs[arrays['positive'] : negative], strict=True)),
                negative=pairs[negative:],
            ),
            embedding=arrays.get('embedding'),
            labels=arrays['labels'],
            classes=tuple(arrays['class_names'].tolist()),
        )
    except FileNotFoundError as error:
        raise UserError(f'{path}: no such file; evaluate this run again, with cosegnet eval') from error
    except files.DAMAGED_ARRAYS as error:
        raise UserError(f'{path}: damaged; evaluate this run again, with cosegnet eval') from error


def _pair_arrays(pairs: Sequence[PairView]) -> dict[str, np.ndarray]:
    def of_images(field: str, dtype: type) -> np.ndarray:
        return np.array([[getattr(image, field) for image in pair.images] for pair in pairs], dtype)

    return {
        'filename': of_images('filename', str),
        'classes': of_images('classes', str),
        'photo': of_images('photo', np.uint8),
        'mask': of_images('mask', bool),
        'truth': of_images('truth', bool),
        'probability': np.array([pair.probability for pair in pairs]),
        'is_open': np.array([pair.is_open for pair in pairs], bool),
        'shares_object': np.array([pair.shares_object for pair in pairs], bool),
    }


def _pairs(arrays: Mapping[str, np.ndarray]) -> list[PairView]:
    def image(pair: int, side: int) -> ImageView:
        return ImageView(
            filename=str(arrays['filename'][pair, side]),
            classes=str(arrays['classes'][pair, side]),
            photo=arrays['photo'][pair, side],
            mask=arrays['mask'][pair, side],
            truth=arrays['truth'][pair, side],
        )

    return [
        PairView(
            images=(image(pair, 0), image(pair, 1)),
            probability=float(probability),
            is_open=bool(arrays['is_open'][pair]),
            shares_object=bool(arrays['shares_object'][pair]),
        )
        for pair, probability in enumerate(arrays['probability'])
    ]
