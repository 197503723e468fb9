"""The report of an evaluation: one HTML file that needs nothing beside it."""

from __future__ import annotations

import html
import io
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure
from PIL import Image

from cosegnet_jax.evaluation.decisions import DecisionScores
from cosegnet_jax.evaluation.pair_samples import POOL
from cosegnet_jax.evaluation.protocol import Results
from cosegnet_jax.evaluation.published import PublishedRow
from cosegnet_jax.reports.figures import charts, pair_pictures
from cosegnet_jax.reports.figures.pair_views import ImageView, PairView, PairViews
from cosegnet_jax.reports.pages import html_page
from cosegnet_jax.reports.tables.score_tables import comparison_rows, percent, ratio

TILE = 168  # pixels, height of a photo


def write_report(
    path: str | Path,
    *,
    title: str,
    results: Results,
    views: PairViews,
    seed: int,
    curves: charts.Records = (),
    published: Sequence[PublishedRow] = (),
) -> None:
    """Write figures, tables, charts and sample pairs as one HTML file that works without a network.

    Args:
        path: file to write; its folder is made where it is missing.
        title: heading of the page.
        results: what `evaluate` returned.
        views: pairs to look at.
        seed: by which they were drawn.
        curves: records of the training log, each with a `step` and any of the keys of `charts.LOSSES` and
            `charts.VALIDATION`; a chart without a point is left out.
        published: rows to set beside ours.
    """
    sections = [
        ('Results', _headline(results) + _comparison(results, published)),
        ('By class', _classes(results)),
        ('Pairs drawn at random', _positive(views, seed)),
        ('Best, median and worst pair', _ranked(views)),
        ('Pairs with nothing in common', _negative(views, seed)),
        ('Decisions', _decisions(results)),
        ('Training', _training(curves)),
        ('How it was measured', _protocol(results)),
    ]
    summary = (
        f'{results.dataset}: {results.images} images, {results.overall.pairs} pairs inside '
        f'{len(results.per_class)} classes, protocol {results.protocol.name}'
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html_page.page(title, summary, sections, _STYLE), encoding='utf-8')


def _positive(views: PairViews, seed: int) -> str:
    note = (
        f'One pair from each of {len(views.positive)} classes; classes and images were drawn at random (seed '
        f'{seed}). Every strip shows the photo; the predicted mask in <b class="mask">blue</b>, with the '
        'outline of what the pair has in common in <b class="truth">orange</b>; and what is cut out after '
        'the decision.'
    )
    return _pairs(note, [('', pair) for pair in views.positive])


def _ranked(views: PairViews) -> str:
    note = (
        'By the Jaccard of the pair after the decision, out of all pairs with a common object; in a set of '
        f'more than {POOL} images, out of those among {POOL} images drawn at random.'
    )
    return _pairs(note, views.ranked.items())


def _negative(views: PairViews, seed: int) -> str:
    note = (
        f'{len(views.negative)} pairs without a common object, drawn at random (seed {seed}). The masks in '
        'the middle are those before the decision; the cut-outs should all be empty boxes.'
    )
    return _pairs(note, [('', pair) for pair in views.negative])


def _pairs(note: str, ranked: Collection[tuple[str, PairView]]) -> str:
    return f'<p>{note}</p>' + ''.join(_pair(rank, pair) for rank, pair in ranked) if ranked else ''


def _pair(rank: str, pair: PairView) -> str:
    heading = f'{rank}: {pair.classes}' if rank else pair.classes
    mark = '' if pair.shares_object == pair.is_open else '<strong class="wrong">wrong</strong>'
    mean = float(np.mean([image.jaccard for image in pair.images]))
    score = f', J {ratio(mean * pair.is_open, decimals=2)}' if pair.shares_object else ''
    halves = ''.join(_half(image, pair) for image in pair.images)
    return (
        f'<figure class="pair"><figcaption><b>{html.escape(heading)}</b> <span>{pair.verdict}, '
        f'probability {pair.probability:.2f}{score}{mark}</span></figcaption>'
        f'<div class="two">{halves}</div></figure>\n'
    )


def _half(image: ImageView, pair: PairView) -> str:
    pixels = pair_pictures.strip(image, pair.is_open, TILE)
    outline = ' with the true outline' if pair.shares_object else ''
    last = 'the cut-out' if pair.is_open else 'an empty box, because the decision closed the gate'
    alt = f'{image.filename}: the photo, the predicted mask{outline}, and {last}'
    score = f', J of the mask {ratio(image.jaccard, decimals=2)}' if pair.shares_object else ''
    picture = html_page.image(
        html_page.data_uri('image/jpeg', _jpeg(pixels)), alt, pixels.shape[1], pixels.shape[0]
    )
    return f'<div>{picture}<small>{html.escape(image.filename)}{score}</small></div>'


def _headline(results: Results) -> str:
    overall, decision, baselines = results.overall, results.decision, results.baselines
    best = max(baselines.values(), key=lambda scores: scores.jaccard)
    cards = [
        ('Jaccard', ratio(overall.jaccard), f'{ratio(overall.jaccard_ungated)} without the gate'),
        (
            'Precision (pixel accuracy)',
            f'{percent(overall.precision)} %',
            f'{percent(overall.precision_ungated)} % without the gate',
        ),
        ('Decision accuracy', ratio(decision.accuracy), f'{ratio(decision.balanced_accuracy)} balanced'),
        (
            'Decision AUC',
            ratio(decision.auc),
            f'{percent(decision.null_mask_rate)} % of pairs that share nothing get empty masks',
        ),
        ('Best baseline', ratio(best.jaccard), 'Jaccard of a mask that sees no image'),
    ]
    return (
        '<dl class="cards">'
        + ''.join(
            f'<div><dt>{name}</dt><dd><b>{value}</b><span>{note}</span></dd></div>'
            for name, value, note in cards
        )
        + '</dl>'
    )


def _comparison(results: Results, published: Sequence[PublishedRow]) -> str:
    rows = [(row.name, row.precision, row.jaccard, row.source) for row in comparison_rows(results, published)]
    table = html_page.table(
        'This model, baselines and published rows', ('Method', 'P (%)', 'J', 'From'), rows
    )
    note = (
        '<p class="note">Rows of the paper are as printed there: measured on its own splits at 224 by 224 '
        'pixels, and for older methods under their own protocols. They give an order of magnitude, not a '
        'ranking.</p>'
    )
    return table + (note if published else '')


def _classes(results: Results) -> str:
    rows = [
        (
            name, str(s.pairs), percent(s.precision), ratio(s.jaccard), percent(s.precision_ungated),
            ratio(s.jaccard_ungated),
        )
        for name, s in results.per_class.items()
    ]  # fmt: skip
    columns = ('Class', 'Pairs', 'P (%)', 'J', 'P (%) ungated', 'J ungated')
    skipped = ', '.join(results.skipped_classes)
    note = f'<p class="note">Fewer than two images, left out: {html.escape(skipped)}.</p>' if skipped else ''
    return html_page.table('Figures of each class', columns, rows) + note


def _decisions(results: Results) -> str:
    found = results.decision
    chart = charts.decision_chart(results.probabilities[0], results.probabilities[1], found.threshold)
    words = (
        f'{percent(found.true_positive_rate)} % of the {found.positive_pairs} pairs with a common object '
        f'and {percent(1 - found.true_negative_rate)} % of the {found.negative_pairs} pairs without one '
        f'reach the threshold of {found.threshold:g}'
    )
    rows = [
        ('ROC-AUC', f'{ratio(found.auc)} ± {found.auc_error:.0e}'),
        ('Average precision', ratio(found.average_precision)),
        ('Pairs that share nothing: share with empty masks', ratio(found.null_mask_rate)),
        *_outlier_rows(found),
        ('Expected calibration error', ratio(found.calibration_error)),
        ('Mean probability', ratio(found.mean_probability)),
        ('Share of pairs with a common object', ratio(found.positive_rate)),
        ('Mean probability of pairs that are said to share an object', ratio(found.mean_probability_open)),
        ('Share of these that do', ratio(found.positive_rate_open)),
    ]
    return (
        f'<p>{words}.</p>'
        + _chart(chart, f'Histogram of the probabilities. {words}.')
        + html_page.table('Decisions over all pairs', ('Figure', 'Value'), rows)
    )


def _outlier_rows(found: DecisionScores) -> list[tuple[str, str]]:
    name = f'{found.outlier_pairs} pairs with an outlier: share with empty masks'
    return [(name, ratio(found.null_mask_rate_outliers))] * bool(found.outlier_pairs)


def _training(curves: charts.Records) -> str:
    body = ''
    if any(charts.series(curves, key)[0] for key in charts.LOSSES):
        alt = 'Curves of the losses over the steps. ' + _from_to(curves, charts.LOSSES)
        body += '<h3>Losses</h3>' + _chart(charts.loss_chart(curves), alt)
    if any(charts.series(curves, key)[0] for key in charts.VALIDATION):
        alt = 'Curves of the validation figures over the steps. ' + _from_to(curves, charts.VALIDATION)
        body += '<h3>On the validation part</h3>' + _chart(charts.validation_chart(curves), alt)
    return body


def _from_to(curves: charts.Records, labels: dict[str, str]) -> str:
    """Say in words where each curve begins and ends."""
    parts = []
    for key, label in labels.items():
        steps, values = charts.series(curves, key)
        if steps:
            parts.append(
                f'{label}: {values[0]:.3g} at step {steps[0]}, {values[-1]:.3g} at step {steps[-1]}.'
            )
    return ' '.join(parts)


def _protocol(results: Results) -> str:
    choices = {**results.protocol.as_dict(), 'decided_by': results.decided_by}
    rows = [(name.replace('_', ' '), str(value)) for name, value in choices.items()]
    definitions = (
        '<p><b>Precision (P)</b> is pixel accuracy: the share of pixels, of object and background alike, '
        'that are right. <b>Jaccard (J)</b> is intersection over union with the true mask. <b>Gated</b> '
        'figures are those of the whole model: when it decides that a pair has nothing in common, both '
        'masks are empty. <b>Ungated</b> figures ignore the decision. If a pair shares nothing, two '
        'empty masks are right; an <b>outlier</b> is an '
        'image that does not show what it is filed under. <b>Expected calibration error</b> is the mean '
        'distance, over all pairs, between the mean probability and the share of pairs with a common '
        'object in 20 bins of equal width of the probability. The baselines mark every pixel, or the box '
        'in the middle with half the width and half the height.</p>'
    )
    return definitions + html_page.table('Protocol', ('Choice', 'Value'), rows)


def _jpeg(pixels: UInt8[np.ndarray, 'height width 3']) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, 'JPEG', quality=90, subsampling=0)
    return file.getvalue()


def _chart(figure: Figure, alt: str) -> str:
    drawn = html_page.image(html_page.data_uri('image/svg+xml', charts.svg(figure).encode()), alt)
    return f'<div class="chart">{html_page.scrollable(drawn, alt)}</div>'


_STYLE = """
.pair span { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .75rem;
  margin: 1rem 0 2rem; }
.cards div { padding: .9rem 1rem; border: 1px solid var(--line); border-radius: .5rem; }
.cards dt { font-size: .875rem; color: var(--soft); }
.cards dd { margin: 0; }
.cards b { display: block; font-size: 1.75rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.cards span { display: block; font-size: .8125rem; line-height: 1.4; color: var(--soft); }
.pair { margin: 0 0 1.5rem; }
.pair figcaption { margin-bottom: .35rem; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr));
  gap: .75rem 1.25rem; }
.wrong { margin-left: .4rem; padding: 0 .4rem; border-radius: .25rem; color: #9f1239; background: #ffe4e6; }
.chart img { min-width: 38rem; } /* smaller ones cannot be read */
.mask { color: #1d4ed8; }
.truth { color: #9a5b00; }
"""
