"""Charts of training and of decisions, drawn with matplotlib but without its global state."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

LOSSES = {
    'loss': 'Total loss',
    'loss_mask': 'Mask loss (L1)',
    'loss_null': 'Loss of empty masks',
    'loss_triplet': 'Triplet loss (L2)',
    'loss_decision': 'Decision loss (L3)',
}
VALIDATION = {
    'validation_jaccard': 'Jaccard, gated',
    'validation_jaccard_ungated': 'Jaccard, ungated',
    'validation_balanced_accuracy': 'Decision accuracy, balanced',
}
BLUE, ORANGE, GREEN, GRAY = '#2563eb', '#d97706', '#0f766e', '#6b7280'
COLORS = (BLUE, ORANGE, GREEN, '#db2777', '#111827', '#7c3aed', '#84cc16')  # of models and of classes
WIDTH = 11  # inches of every chart
PIXELS_PER_INCH = 150  # of a PNG
SMOOTHING = 0.05  # of the points of a curve are averaged for its bold line

Records = Sequence[Mapping[str, int | float | None]]


def series(records: Records, key: str) -> tuple[list[int], list[float]]:
    """Collect the steps and the finite values of one key from the records of a training log."""
    points = [(record['step'], record.get(key)) for record in records]
    found = [(int(step or 0), float(value)) for step, value in points if value is not None]
    finite = [(step, value) for step, value in found if math.isfinite(value)]
    return [step for step, _ in finite], [value for _, value in finite]


def loss_chart(records: Records) -> Figure:
    """Draw each loss that the log has over the steps, on axes of its own; needs at least one."""
    present = {key: label for key, label in LOSSES.items() if series(records, key)[0]}
    figure = Figure()
    for key, axes in _grid(figure, present).items():
        steps, values = series(records, key)
        axes.plot(steps, values, color=BLUE, alpha=0.3, linewidth=0.8)
        axes.plot(*_smoothed(steps, values), color=BLUE, linewidth=1.8)
        axes.set_ylim(bottom=0)
    return figure


def validation_chart(records: Records) -> Figure:
    """Draw the figures measured on the validation part over the steps, all between 0 and 1."""
    figure = Figure(figsize=(WIDTH, 3.2), layout='constrained')
    axes = figure.add_subplot()
    for (key, label), color, marker in zip(VALIDATION.items(), (BLUE, GREEN, ORANGE), 'osD', strict=True):
        steps, values = series(records, key)
        if steps:
            axes.plot(steps, values, color=color, marker=marker, markersize=4, label=label)
    axes.set_ylim(0, 1)
    axes.legend(loc='lower left', bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9)
    tidy(axes, 'step')
    return figure


def curves_chart(runs: Mapping[str, Sequence[Records]], labels: Mapping[str, str]) -> Figure:
    """Draw curves of several models, each trained several times.

    A color is a model: a thin line each of its runs, and a bold one their mean at the steps that all of
    them have; of both, running means, without which the noise of one model hides the others.

    Args:
        runs: records of each run, by the name of the model.
        labels: keys of the records and what to call them; each that any run has gets axes of its own, and
            there must be one.
    """
    every = [records for of_model in runs.values() for records in of_model]
    present = {key: text for key, text in labels.items() if any(series(records, key)[0] for records in every)}
    figure = Figure()
    for key, axes in _grid(figure, present).items():
        for number, (name, of_model) in enumerate(runs.items()):
            color = COLORS[number % len(COLORS)]
            dashes = ('-', '--', ':')[number // len(COLORS) % 3]
            curves = [series(records, key) for records in of_model]
            for steps, values in curves:
                axes.plot(*_smoothed(steps, values), linestyle=dashes, color=color, alpha=0.3, linewidth=0.8)
            steps, values = _smoothed(*_mean(curves))
            marker = 'o' if len(steps) < 20 else None  # a single point has no line
            look = {'color': color, 'linestyle': dashes, 'marker': marker}
            axes.plot(steps, values, **look, linewidth=1.8, markersize=4, label=name)
        axes.set_ylim(bottom=0)
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc='outside upper left', ncols=3, frameon=False, fontsize=9)
    return figure


def decision_chart(
    negative: Int[np.ndarray, ' bins'], positive: Int[np.ndarray, ' bins'], threshold: float
) -> Figure:
    """Draw how probabilities spread over pairs with and without a common object, each kind out of 100 %.

    Args:
        negative: pairs without a common object in each of some bins of equal width between 0 and 1.
        positive: the same of pairs with one.
        threshold: probability from which the gate is open.
    """
    figure = Figure(figsize=(WIDTH, 3.2), layout='constrained')
    axes = figure.add_subplot()
    edges = np.linspace(0, 1, len(negative) + 1)
    for kind, label, color, hatch in (
        (negative, 'nothing in common', ORANGE, '////'),
        (positive, 'common object', BLUE, None),
    ):
        if kind.any():
            axes.hist(
                edges[:-1], edges.tolist(), weights=100 * kind / kind.sum(), histtype='stepfilled',
                alpha=0.45, label=label, facecolor=color, edgecolor=color, hatch=hatch,
            )  # fmt: skip
    axes.axvline(threshold, color=GRAY, linestyle='--', linewidth=1)
    axes.annotate(
        'threshold', (threshold, 1), (0, 2), ('data', 'axes fraction'), 'offset points', color=GRAY,
        fontsize=9, ha='center',
    )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylabel('% of such pairs', fontsize=9)
    axes.legend(loc='lower left', bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=9)
    tidy(axes, 'probability of a common object')
    return figure


def svg(figure: Figure) -> str:
    """The figure as SVG without a background."""
    text = io.StringIO()
    figure.savefig(text, format='svg', transparent=True, metadata={'Date': None})
    return text.getvalue()


def png(figure: Figure) -> bytes:
    """The figure as PNG on white."""
    content = io.BytesIO()
    figure.savefig(content, format='png', dpi=PIXELS_PER_INCH, facecolor='white')
    return content.getvalue()


def tidy(axes: Axes, xlabel: str) -> None:
    """Give axes the look of all charts: no frame but two thin lines, small figures, a pale grid."""
    axes.set_xlabel(xlabel, fontsize=9)
    axes.spines[['top', 'right']].set_visible(False)
    axes.spines[['left', 'bottom']].set_color(GRAY)
    axes.tick_params(labelsize=9, color=GRAY)
    axes.grid(axis='y', color='#e5e7eb', linewidth=0.8)
    axes.set_axisbelow(True)


def _grid(figure: Figure, titles: Mapping[str, str]) -> dict[str, Axes]:
    """Axes over steps, two a row, one for each title."""
    columns = min(2, len(titles))
    rows = math.ceil(len(titles) / columns)
    figure.set_size_inches(WIDTH, 2.6 * rows)
    figure.set_layout_engine('constrained')
    grid = {key: figure.add_subplot(rows, columns, place) for place, key in enumerate(titles, start=1)}
    for key, axes in grid.items():
        axes.set_title(titles[key], loc='left', fontsize=10)
        tidy(axes, 'step')
    return grid


def _smoothed(steps: Sequence[int], values: Sequence[float]) -> tuple[Sequence[int], Sequence[float]]:
    """Running mean; each value sits at the middle of its points."""
    if not values:
        return [], []
    window = max(1, round(SMOOTHING * len(values)))
    mean = np.convolve(values, np.full(window, 1 / window), mode='valid')
    first = (window - 1) // 2
    return steps[first : first + len(mean)], mean.tolist()


def _mean(curves: Sequence[tuple[Sequence[int], Sequence[float]]]) -> tuple[list[int], list[float]]:
    """Mean of the curves that have points, at the steps that all of those have."""
    by_step = [dict(zip(*curve, strict=True)) for curve in curves if curve[0]]
    steps = sorted(set.intersection(*map(set, by_step))) if by_step else []
    return steps, [float(np.mean([values[step] for values in by_step])) for step in steps]
