"""The figures of the paper, drawn from finished runs, with captions."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cosegnet_jax.evaluation.published import INTERNET, MSRC, PASCAL, data_set
from cosegnet_jax.reports.figures import charts, figure_data, pair_pictures
from cosegnet_jax.reports.figures.embedding_figure import embedding_chart
from cosegnet_jax.reports.figures.figure_data import FigureData
from cosegnet_jax.reports.figures.pair_views import PairView
from cosegnet_jax.reports.finished_runs import MODELS, Evaluated, Recipe
from cosegnet_jax.reports.tables.paper_tables import Keys
from cosegnet_jax.training import run_files

CURVES = {
    'loss': 'Total loss',
    'loss_mask': 'Mask loss of positive pairs (L1)',
    'validation_jaccard': 'Jaccard on the validation part, gated',
    'validation_jaccard_ungated': 'Jaccard on the validation part, ungated',
}


@dataclasses.dataclass(frozen=True)
class PaperFigure:
    """A picture and its words."""

    file: Path
    title: str
    caption: str
    alt: str


def write_figures(runs: Sequence[Evaluated], folder: Path) -> list[PaperFigure]:
    """Draw Figures 3-6 of the paper, and curves, embeddings and decisions, as PNG files in `folder`.

    Of several suitable runs the first is drawn; a figure without a run is left out.

    Args:
        runs: evaluated runs. All figures but the curves take those that were scored under the protocol
            'cosegnet' on images that the network was not trained on; of CoSegNet, with the paper's tap.
            Those whose `drawn_from` is missing are in the curves and the decisions alone.
        folder: made where it is missing.

    Raises:
        UserError: the figure data of a run are damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recipes = Keys.of(runs).recipes
    comparable = [run for run in runs if run.protocol == 'cosegnet' and run.is_unseen]
    ours = [run for run in comparable if (run.model, run.tap) == ('cosegnet', 'cT9')]
    base = [run for run in comparable if run.model == 'base' and run.drawn_from.is_file()]
    views = [run for run in ours if run.drawn_from.is_file()]
    made = [
        *(
            _pairs(views, name, folder / f'figure{number}.png', f'Figure {number}: pairs of {name}', recipes)
            for number, name in ((3, PASCAL), (4, INTERNET), (5, MSRC))
        ),
        _false_objects(base, views, folder / 'figure6.png', recipes),
        _curves(runs, folder / 'curves.png', recipes),
        *(
            draw(run, folder / name, recipes)
            for draw, name, of in (
                (_embeddings, 'embeddings.png', views),
                (_decisions, 'decisions.png', ours),
            )
            for run in _with_set_first(of, PASCAL)[:1]
        ),
    ]
    return [figure for figure in made if figure]


def _pairs(
    ours: Sequence[Evaluated], name: str, file: Path, title: str, recipes: Mapping[Recipe, str]
) -> PaperFigure | None:
    """Draw Figures 3-5: pairs with a common object."""
    run = next((run for run in ours if data_set(run.dataset) == name), None)
    if not run:
        return None
    pairs = _figure_data(run).views.positive
    if not pairs:
        return None
    pair_pictures.write_pairs(file, pairs)
    caption = (
        f'{_count(pairs)} with a common object, each of another class, {_drawn(run)}. Of each image: the '
        'photo; the mask before the decision in blue, with the outline of what the pair has in common in '
        f'orange; and what is cut out after the decision. {_source(run, recipes)}'
    )
    alt = f'One pair a row: photo, mask and cut-out of both images. {_row_by_row(pairs)}'
    return PaperFigure(file, title, caption, alt)


def _false_objects(
    base: Sequence[Evaluated], ours: Sequence[Evaluated], file: Path, recipes: Mapping[Recipe, str]
) -> PaperFigure | None:
    """Draw Figure 6: pairs with nothing in common, cut out by CoSegNet-base and by CoSegNet."""
    for run, other in itertools.product(_with_set_first(ours, INTERNET), base):
        pairs = (
            _same_negative(_figure_data(other), _figure_data(run)) if _setting(run) == _setting(other) else []
        )
        if pairs:
            break
    else:
        return None
    of_base, of_ours = ([both[model] for both in pairs] for model in (0, 1))
    pair_pictures.write_compared(file, {'CoSegNet-base': of_base, 'CoSegNet': of_ours})
    caption = (
        f'{_count(pairs)} without a common object, {_drawn(run)}: all that both models were shown. Beside '
        'the photos, what CoSegNet-base cuts out, which has no decision network and decides by its masks; '
        'and what CoSegNet does, an empty box where it decides that nothing is in common. A false object is '
        f'left by CoSegNet-base in {_false(of_base)}, by CoSegNet in {_false(of_ours)} of them. '
        f'{_source(other, recipes)} {_source(run, recipes)}'
    )
    alt = (
        'One pair a row: both photos, and the cut-outs of CoSegNet-base and of CoSegNet. '
        f'CoSegNet-base: {_row_by_row(of_base)} CoSegNet: {_row_by_row(of_ours)}'
    )
    return PaperFigure(file, 'Figure 6: pairs with nothing in common', caption, alt)


def _curves(runs: Sequence[Evaluated], file: Path, recipes: Mapping[Recipe, str]) -> PaperFigure | None:
    """Draw losses and Jaccard index over the steps of training, for every network."""
    trained = {run.workdir: run for run in runs}  # once, though evaluated on several sets
    by_model: dict[str, list[charts.Records]] = {}
    for workdir, run in trained.items():
        by_model.setdefault(f'{_network(run)}, recipe {recipes[run.recipe]}', []).append(
            run_files.read(workdir)
        )
    every = [record for of_model in by_model.values() for log in of_model for record in log]
    if not any(charts.series(every, key)[0] for key in CURVES):
        return None
    file.write_bytes(charts.png(charts.curves_chart(by_model, CURVES)))
    counts = '; '.join(f'{name}: {len(of_model)}' for name, of_model in by_model.items())
    caption = (
        'A thin line is a run; a bold one is the mean over the runs of a model, at steps that all of them '
        'reached; of both, running means over a twentieth of the points. The total loss sums other terms in '
        f'other models, so only its course can be compared. Runs: {counts}.'
    )
    alt = f'Curves over the steps, a color for each of {len(by_model)} models.'
    return PaperFigure(file, 'Losses and Jaccard in training', caption, alt)


def _embeddings(run: Evaluated, file: Path, recipes: Mapping[Recipe, str]) -> PaperFigure:
    """Draw the embeddings of images (paper §3.3)."""
    what = _figure_data(run)
    assert what.embedding is not None  # CoSegNet has one
    file.write_bytes(charts.png(embedding_chart(what.embedding, what.labels, what.classes)))
    caption = (
        f'Each of {len(what.labels)} images at its embedding, 64 numbers projected on their two first '
        'principal components, in the color of the first class that it is filed under. '
        f'{_source(run, recipes)}'
    )
    alt = f'Points in a plane, a color and a shape for each of {len(what.classes)} classes.'
    return PaperFigure(file, 'The embedding space', caption, alt)


def _decisions(run: Evaluated, file: Path, recipes: Mapping[Recipe, str]) -> PaperFigure:
    """Draw the distributions of probabilities of pairs with and without a common object."""
    found, counted = run.document['decision'], run.document['probabilities']
    negative, positive = (np.array(counted[kind]) for kind in ('negative', 'positive'))
    file.write_bytes(charts.png(charts.decision_chart(negative, positive, found['threshold'])))
    caption = (
        f'Probability of a common object, of {found["positive_pairs"]} pairs with one and '
        f'{found["negative_pairs"]} without, each kind out of 100 %. {_source(run, recipes)}'
    )
    alt = 'Histograms of the probabilities of pairs with and of pairs without a common object.'
    return PaperFigure(file, 'Decisions', caption, alt)


def _figure_data(run: Evaluated) -> FigureData:
    return figure_data.load(run.drawn_from)


def _with_set_first(runs: Iterable[Evaluated], name: str) -> list[Evaluated]:
    """Sort the runs of one data set first; keep the order otherwise."""
    return sorted(runs, key=lambda run: data_set(run.dataset) != name)


def _setting(run: Evaluated) -> tuple[Any, ...]:
    """Return what two runs must share to be compared."""
    return run.dataset, run.part, run.split, run.seed, run.recipe


def _same_negative(first: FigureData, second: FigureData) -> list[tuple[PairView, PairView]]:
    """Match the negative pairs that both hold."""

    def by_names(what: FigureData) -> dict[tuple[str, ...], PairView]:
        return {tuple(image.filename for image in pair.images): pair for pair in what.views.negative}

    others = by_names(second)
    return [(pair, others[names]) for names, pair in by_names(first).items() if names in others]


def _false(pairs: Sequence[PairView]) -> int:
    """Count the negative pairs from which something is cut out."""
    return sum(pair.is_open and any(image.mask.any() for image in pair.images) for pair in pairs)


def _network(run: Evaluated) -> str:
    return MODELS[run.model] + (f' ({run.tap})' if run.tap else '')


def _source(run: Evaluated, recipes: Mapping[Recipe, str]) -> str:
    """Describe the run in a sentence."""
    part = 'all images' if run.part == 'all' else f'the {run.part} part'
    return (
        f'{_network(run)}: recipe {recipes[run.recipe]}, trained on {run.trained_on}, split {run.split} of '
        f'seed {run.seed}, at step {run.document["step"]}, on {part} of {run.dataset}.'
    )


def _drawn(run: Evaluated) -> str:
    return f'drawn at random (seed {run.document["protocol"]["seed"]}) and shown as drawn, none picked'


def _count(pairs: Sequence[Any]) -> str:
    return f'{len(pairs)} pair{"s" if len(pairs) > 1 else ""}'


def _row_by_row(pairs: Sequence[PairView]) -> str:
    return '; '.join(f'{pair.classes}, {pair_pictures.decision(pair)}' for pair in pairs) + '.'
