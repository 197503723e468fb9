"""Results as tables for people: our scores beside the baselines and the paper's rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from cosegnet_jax.evaluation.decisions import DecisionScores
from cosegnet_jax.evaluation.protocol import Results
from cosegnet_jax.evaluation.published import PublishedRow

DASH = '-'  # in place of a missing score


class TableRow(NamedTuple):
    """One printed line: P in percent and J, or a dash where a score is missing."""

    name: str
    precision: str
    jaccard: str
    source: str


def comparison_rows(results: Results, published: Sequence[PublishedRow]) -> list[TableRow]:
    """List this model gated and ungated, the baselines, and the published rows with their own decimals."""
    ours, box, full = results.overall, results.baselines['center_box'], results.baselines['all_foreground']
    rows = [
        ('This model, gated', ours.precision, ours.jaccard, 'measured'),
        ('This model, ungated', ours.precision_ungated, ours.jaccard_ungated, 'measured'),
        *(
            (f'Gated, outlier_truth {reading}', scores.precision, scores.jaccard, 'measured')
            for reading, scores in results.by_outlier_truth.items()
        ),
        ('Center box, half of each side', box.precision, box.jaccard, 'baseline'),
        ('Everything is foreground', full.precision, full.jaccard, 'baseline'),
    ]
    return [_row(*row) for row in rows] + [
        _row(row.method, row.precision, row.jaccard, f'paper, {row.source}', decimals=2) for row in published
    ]


def class_rows(results: Results) -> list[TableRow]:
    """List the classes, gated, with their number of pairs in place of a source."""
    return [
        _row(name, scores.precision, scores.jaccard, f'{scores.pairs} pairs')
        for name, scores in results.per_class.items()
    ]


def _row(
    name: str, precision: float | None, jaccard: float | None, source: str, decimals: int = 3
) -> TableRow:
    return TableRow(name, percent(precision), ratio(jaccard, decimals), source)


def format_tables(results: Results, published: Sequence[PublishedRow]) -> str:
    """Set all tables as plain text for a terminal."""
    methods, classes = comparison_rows(results, published), class_rows(results)
    width = max(len(row.name) for row in [*methods, *classes])

    def lines(rows: Sequence[TableRow]) -> list[str]:
        return [f'  {row.name:<{width}}  {row.precision:>6}  {row.jaccard:>5}  {row.source}' for row in rows]

    pairs, decision = results.overall.pairs, results.decision
    sections = [
        f'{results.dataset}: {results.images} images, {pairs} pairs inside {len(classes)} classes, '
        f'protocol {results.protocol.name}',
        f'  {"":<{width}}  {"P (%)":>6}  {"J":>5}',
        *lines(methods),
        'By class, gated',
        *lines(classes),
        f'Decisions on {decision.positive_pairs + decision.negative_pairs} pairs, '
        f'{decision.positive_pairs} of them with a shared object, by {results.decided_by}',
        f'  accuracy {ratio(decision.accuracy)}, balanced {ratio(decision.balanced_accuracy)}, '
        f'AUC {ratio(decision.auc)}, average precision {ratio(decision.average_precision)}',
        f'  pairs that share nothing: {percent(decision.null_mask_rate)} % get empty masks',
        *_of_outliers(decision),
        f'  pairs that are said to share an object: {percent(decision.positive_rate_open)} % do, mean '
        f'probability {ratio(decision.mean_probability_open)}; calibration error '
        f'{ratio(decision.calibration_error)}',
    ]
    if results.skipped_classes:
        sections.append(f'Classes with fewer than two images, left out: {", ".join(results.skipped_classes)}')
    return '\n'.join(sections)


def _of_outliers(decision: DecisionScores) -> list[str]:
    rate = f'{percent(decision.null_mask_rate_outliers)} %'
    return [f'  pairs with an outlier of their class: {rate} get empty masks'] * bool(decision.outlier_pairs)


def percent(value: float | None) -> str:
    """Format a share as a percentage with one decimal; a dash when it is not defined."""
    return DASH if value is None or math.isnan(value) else f'{100 * value:.1f}'


def ratio(value: float | None, decimals: int = 3) -> str:
    """Format a share as a decimal fraction; a dash when it is not defined."""
    return DASH if value is None or math.isnan(value) else f'{value:.{decimals}f}'
