"""The report of an evaluation: one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import dataclasses
import html
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.evaluation import figures, metrics, pictures, samples
from cosegnet_jax.evaluation.protocol import Protocol, Results, score_class_pairs, share_object
from cosegnet_jax.evaluation.published import PublishedRow
from cosegnet_jax.evaluation.tables import comparison_rows, percent, ratio

RANDOM_POSITIVE, RANDOM_NEGATIVE, SEED = 6, 4, 0  # pairs shown, and the seed that draws them
TILE = 168  # pixels, height of a photo


def write_report(
    path: str | Path,
    *,
    title: str,
    results: Results,
    examples: Examples,
    masks: Bool[np.ndarray, 'n height width'],
    decisions: Float[np.ndarray, 'n n'],
    curves: figures.Records = (),
    published: Sequence[PublishedRow] = (),
) -> None:
    """Write figures, tables, charts and sample pairs as one HTML file that works without a network.

    Args:
        path: file to write; its folder is made where it is missing.
        title: heading of the page.
        results: what `evaluate` returned for the following three.
        examples: images, classes and true masks.
        masks: predicted object pixels, before the gate.
        decisions: probability that two images share an object.
        curves: records of the training log, each with a `step` and any of the keys of `figures.LOSSES` and
            `figures.VALIDATION`; a chart without a point is left out.
        published: rows to set beside ours.
    """
    shown = _Shown(examples, masks, decisions, results.protocol)
    sections = [
        ('Results', _headline(results) + _comparison(results, published)),
        ('By class', _classes(results)),
        ('Pairs drawn at random', shown.random_positive()),
        ('Best, median and worst pair', shown.ranked()),
        ('Pairs with nothing in common', shown.random_negative()),
        ('Decisions', _decisions(results, examples, decisions)),
        ('Training', _training(curves)),
        ('How it was measured', _protocol(results.protocol)),
    ]
    sections = [(heading, body) for heading, body in sections if body]
    links = ''.join(f'<li><a href="#s{i}">{heading}</a></li>' for i, (heading, _) in enumerate(sections))
    bodies = ''.join(
        f'<section aria-labelledby="s{i}"><h2 id="s{i}" tabindex="-1">{heading}</h2>{body}</section>\n'
        for i, (heading, body) in enumerate(sections)
    )
    summary = (
        f'{_text(results.dataset)}: {results.images} images, {results.overall.pairs} pairs inside '
        f'{len(results.per_class)} classes'
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        _PAGE.format(title=_text(title), summary=summary, links=links, sections=bodies, style=_STYLE),
        encoding='utf-8',
    )


@dataclasses.dataclass(frozen=True)
class _Shown:
    """The sections that show pairs."""

    examples: Examples
    masks: Bool[np.ndarray, 'n height width']
    decisions: Float[np.ndarray, 'n n']
    protocol: Protocol

    def random_positive(self) -> str:
        pairs = samples.draw_positive(self.examples, RANDOM_POSITIVE, SEED)
        if not pairs:
            return ''
        note = (
            f'One pair from each of {len(pairs)} classes; classes and images were drawn at random (seed '
            f'{SEED}). Every strip shows the photo; the predicted mask in <b class="mask">blue</b>, with '
            'the outline of the truth in <b class="truth">orange</b>; and what is cut out after the '
            'decision.'
        )
        return f'<p>{note}</p>' + ''.join(self._figure(pair) for pair in pairs)

    def random_negative(self) -> str:
        pairs = samples.draw_negative(self.examples, RANDOM_NEGATIVE, SEED)
        if not pairs:
            return ''
        note = (
            f'{len(pairs)} pairs without a common object, drawn at random (seed {SEED}). The masks in the '
            'middle are those before the decision; the cut-outs should all be empty boxes.'
        )
        return f'<p>{note}</p>' + ''.join(self._figure(pair) for pair in pairs)

    def ranked(self) -> str:
        scored = score_class_pairs(self.examples, self.masks, self.decisions, self.protocol)
        picked = samples.best_median_worst(self.examples, scored)
        if not picked:
            return ''
        note = 'By the Jaccard of the pair after the decision, out of all pairs with a common object.'
        return f'<p>{note}</p>' + ''.join(self._figure(pair, rank) for rank, pair in picked.items())

    def _figure(self, pair: samples.Pair, rank: str = '') -> str:
        probability = float(self.decisions[pair])
        is_open = probability >= self.protocol.decision_threshold
        names = ' + '.join(self.examples.classes[self.examples.labels[k]] for k in pair)
        heading = f'{rank}: {names}' if rank else names
        shared = bool(share_object(self.examples.subset(np.array(pair)))[0, 1])
        verdict = 'common object' if is_open else 'nothing in common'
        mark = '' if shared == is_open else '<strong class="wrong">wrong</strong>'
        jaccards = metrics.jaccard(
            self.masks[list(pair)], self.examples.masks[list(pair)] > 0, self.protocol.empty_truth
        )
        score = f', J {ratio(jaccards.mean() * is_open, decimals=2)}' if shared else ''
        halves = ''.join(self._half(k, is_open, j) for k, j in zip(pair, jaccards, strict=True))
        return (
            f'<figure class="pair"><figcaption><b>{_text(heading)}</b> <span>{verdict}, probability '
            f'{probability:.2f}{score}{mark}</span></figcaption><div class="two">{halves}</div></figure>\n'
        )

    def _half(self, k: int, is_open: bool, jaccard: float) -> str:
        name, truth = self.examples.filenames[k], self.examples.masks[k] > 0
        pixels = pictures.strip(self.examples.images[k], self.masks[k], truth, is_open, TILE)
        last = 'the cut-out' if is_open else 'an empty box, because the decision closed the gate'
        alt = f'{name}: the photo, the predicted mask with the true outline, and {last}'
        return (
            f'<div>{_image(_jpeg_uri(pixels), alt, pixels.shape[1], pixels.shape[0])}'
            f'<small>{_text(name)}, J of the mask {ratio(jaccard, decimals=2)}</small></div>'
        )


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
        ('Decision AUC', ratio(decision.auc), f'{ratio(decision.null_mask_rate)} null masks on negatives'),
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
    table = _table('This model, baselines and published rows', ('Method', 'P (%)', 'J', 'From'), rows)
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
    note = f'<p class="note">Fewer than two images, left out: {_text(skipped)}.</p>' if skipped else ''
    return _table('Means over the pairs of each class', columns, rows) + note


def _decisions(results: Results, examples: Examples, decisions: Float[np.ndarray, 'n n']) -> str:
    unordered = np.triu(np.ones(decisions.shape, dtype=bool), k=1)
    positive = share_object(examples)[unordered]
    found = results.decision
    chart = figures.decision_chart(decisions[unordered], positive, found.threshold)
    words = (
        f'{percent(found.true_positive_rate)} % of the {found.positive_pairs} pairs with a common object '
        f'and {percent(1 - found.true_negative_rate)} % of the {found.negative_pairs} pairs without one '
        f'reach the threshold of {found.threshold:g}'
    )
    return f'<p>{words}.</p>' + _image(_svg_uri(chart), f'Histogram of the probabilities. {words}.')


def _training(curves: figures.Records) -> str:
    body = ''
    if any(figures.series(curves, key)[0] for key in figures.LOSSES):
        alt = 'Curves of the losses over the steps. ' + _from_to(curves, figures.LOSSES)
        body += '<h3>Losses</h3>' + _image(_svg_uri(figures.loss_chart(curves)), alt)
    if any(figures.series(curves, key)[0] for key in figures.VALIDATION):
        alt = 'Curves of the validation figures over the steps. ' + _from_to(curves, figures.VALIDATION)
        body += '<h3>On the validation part</h3>' + _image(_svg_uri(figures.validation_chart(curves)), alt)
    return body


def _from_to(curves: figures.Records, labels: dict[str, str]) -> str:
    """Say in words where each curve begins and ends."""
    parts = []
    for key, label in labels.items():
        steps, values = figures.series(curves, key)
        if steps:
            parts.append(
                f'{label}: {values[0]:.3g} at step {steps[0]}, {values[-1]:.3g} at step {steps[-1]}.'
            )
    return ' '.join(parts)


def _protocol(protocol: Protocol) -> str:
    rows = [(name.replace('_', ' '), str(value)) for name, value in dataclasses.asdict(protocol).items()]
    definitions = (
        '<p><b>Precision (P)</b> is pixel accuracy: the share of pixels, of object and background alike, '
        'that are right. <b>Jaccard (J)</b> is intersection over union with the true mask. <b>Gated</b> '
        'figures are those of the whole model: when it decides that a pair has nothing in common, both '
        'masks are empty. <b>Ungated</b> figures ignore the decision. <b>Null masks on negatives</b> is '
        'the share of pairs without a common object that end with two empty masks. The baselines mark '
        'every pixel, or the box in the middle with half the width and half the height.</p>'
    )
    return definitions + _table('Protocol', ('Choice', 'Value'), rows)


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = ''.join(f'<th scope="col">{_text(name)}</th>' for name in columns)
    body = ''.join(
        f'<tr><th scope="row">{_text(first)}</th>{"".join(f"<td>{_text(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<table><caption>{_text(caption)}</caption><thead><tr>{head}</tr></thead>'
        f'<tbody>{body}</tbody></table>\n'
    )


def _image(uri: str, alt: str, width: int | None = None, height: int | None = None) -> str:
    size = f' width="{width}" height="{height}"' if width else ''
    return f'<img src="{uri}" alt="{_text(alt)}"{size}>'


def _jpeg_uri(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, 'JPEG', quality=90, subsampling=0)
    return f'data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}'


def _svg_uri(svg: str) -> str:
    return f'data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}'


def _text(text: str) -> str:
    return html.escape(text)


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><h1>{title}</h1><p>{summary}</p><nav aria-label="Sections"><ul>{links}</ul></nav></header>
<main>
{sections}</main>
</body>
</html>
"""

_STYLE = """
:root { color-scheme: light; --ink: #1f2937; --soft: #565f6d; --line: #e5e7eb; --blue: #1d4ed8; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 70rem; color: var(--ink); background: #fff;
  font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 3rem 0 .75rem; font-size: 1.3rem; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
p { max-width: 48rem; margin: .4rem 0 1rem; }
header p, small, .note, .pair span { color: var(--soft); }
small, .note { font-size: .875rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0; padding: 0; list-style: none; }
a { color: var(--blue); }
a:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .75rem;
  margin: 1rem 0 2rem; }
.cards div { padding: .9rem 1rem; border: 1px solid var(--line); border-radius: .5rem; }
.cards dt { font-size: .875rem; color: var(--soft); }
.cards dd { margin: 0; }
.cards b { display: block; font-size: 1.75rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.cards span { display: block; font-size: .8125rem; line-height: 1.4; color: var(--soft); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; font-size: .875rem; color: var(--soft); }
th, td { padding: .35rem 1.25rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
thead th { font-size: .8125rem; color: var(--soft); }
tbody th { font-weight: 400; }
img { max-width: 100%; height: auto; display: block; }
.pair { margin: 0 0 1.5rem; }
.pair figcaption { margin-bottom: .35rem; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr));
  gap: .75rem 1.25rem; }
.wrong { margin-left: .4rem; padding: 0 .4rem; border-radius: .25rem; color: #9f1239; background: #ffe4e6; }
.mask { color: #1d4ed8; }
.truth { color: #9a5b00; }
"""
