"""The charts of the report as SVG, drawn with matplotlib but without its global state."""

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
    'loss_triplet': 'Triplet loss (L2)',
    'loss_decision': 'Decision loss (L3)',
}
VALIDATION = {
    'validation_jaccard': 'Jaccard, gated',
    'validation_jaccard_ungated': 'Jaccard, ungated',
    'validation_balanced_accuracy': 'Decision accuracy, balanced',
}
BLUE, ORANGE, GREEN, GREY = '#2563eb', '#d97706', '#0f766e', '#6b7280'
WIDTH = 11  # inches of every chart
SMOOTHING = 0.05  # of the points of a curve are averaged for its bold line

Records = Sequence[Mapping[str, int | float | None]]


def series(records: Records, key: str) -> tuple[list[int], list[float]]:
    """Collect the steps and the finite values of one key from the records of a training log."""
    points = [
        (record['step'], float(record[key]))
        for record in records
        if record.get(key) is not None and math.isfinite(record[key])
    ]
    return [step for step, _ in points], [value for _, value in points]


def loss_chart(records: Records) -> str:
    """Draw each loss that the log has over the steps, on axes of its own; needs at least one."""
    present = [key for key in LOSSES if series(records, key)[0]]
    columns = min(2, len(present))
    rows = math.ceil(len(present) / columns)
    figure = Figure(figsize=(WIDTH, 2.6 * rows), layout='constrained')
    for place, key in enumerate(present, start=1):
        axes = figure.add_subplot(rows, columns, place)
        steps, values = series(records, key)
        _smoothed_line(axes, steps, values)
        axes.set_title(LOSSES[key], loc='left', fontsize=10)
        axes.set_ylim(bottom=0)
        _tidy(axes, 'step')
    return _svg(figure)


def validation_chart(records: Records) -> str:
    """Draw the figures measured on the validation part over the steps, all between 0 and 1."""
    figure = Figure(figsize=(WIDTH, 3.2), layout='constrained')
    axes = figure.add_subplot()
    for (key, label), colour, marker in zip(VALIDATION.items(), (BLUE, GREEN, ORANGE), 'osD', strict=True):
        steps, values = series(records, key)
        if steps:
            axes.plot(steps, values, color=colour, marker=marker, markersize=4, label=label)
    axes.set_ylim(0, 1)
    axes.legend(loc='lower left', bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9)
    _tidy(axes, 'step')
    return _svg(figure)


def decision_chart(
    negative: Int[np.ndarray, ' bins'], positive: Int[np.ndarray, ' bins'], threshold: float
) -> str:
    """Draw how probabilities spread over pairs with and without a common object, each kind out of 100 %.

    Args:
        negative: pairs without a common object in each of some bins of equal width between 0 and 1.
        positive: the same of pairs with one.
        threshold: probability from which the gate is open.
    """
    figure = Figure(figsize=(WIDTH, 3.2), layout='constrained')
    axes = figure.add_subplot()
    edges = np.linspace(0, 1, len(negative) + 1)
    for kind, label, colour, hatch in (
        (negative, 'nothing in common', ORANGE, '////'),
        (positive, 'common object', BLUE, None),
    ):
        if kind.any():
            axes.hist(
                edges[:-1], edges, weights=100 * kind / kind.sum(), histtype='stepfilled', alpha=0.45,
                label=label, facecolor=colour, edgecolor=colour, hatch=hatch,
            )  # fmt: skip
    axes.axvline(threshold, color=GREY, linestyle='--', linewidth=1)
    axes.annotate(
        'threshold', (threshold, 1), (0, 2), ('data', 'axes fraction'), 'offset points', color=GREY,
        fontsize=9, ha='center',
    )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylabel('% of such pairs', fontsize=9)
    axes.legend(loc='lower left', bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=9)
    _tidy(axes, 'probability of a common object')
    return _svg(figure)


def _smoothed_line(axes: Axes, steps: Sequence[int], values: Sequence[float]) -> None:
    window = max(1, round(SMOOTHING * len(values)))
    axes.plot(steps, values, color=BLUE, alpha=0.3, linewidth=0.8)
    mean = np.convolve(values, np.full(window, 1 / window), mode='valid')
    first = (window - 1) // 2  # each mean sits at the middle of its points
    axes.plot(steps[first : first + len(mean)], mean, color=BLUE, linewidth=1.8)


def _tidy(axes: Axes, xlabel: str) -> None:
    axes.set_xlabel(xlabel, fontsize=9)
    axes.spines[['top', 'right']].set_visible(False)
    axes.spines[['left', 'bottom']].set_color(GREY)
    axes.tick_params(labelsize=9, color=GREY)
    axes.grid(axis='y', color='#e5e7eb', linewidth=0.8)
    axes.set_axisbelow(True)


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format='svg', transparent=True, metadata={'Date': None})
    return text.getvalue()
