"""The paper's tables and figures from finished runs, as one Markdown and one HTML page."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Sequence
from pathlib import Path

from cosegnet_jax.reports import run_log
from cosegnet_jax.reports.figures.paper_figures import PaperFigure, write_figures
from cosegnet_jax.reports.finished_runs import MODELS, Evaluated, find, flags
from cosegnet_jax.reports.pages import html_page
from cosegnet_jax.reports.tables.other_sets import other_sets
from cosegnet_jax.reports.tables.paper_tables import Keys, Table, paper_tables

TITLE = 'CoSegNet: the tables and figures of the paper, from finished runs'
SUMMARY = 'Published figures beside those of this project; their splits and protocols are not the same.'
READING = (
    'P is pixel accuracy in percent, over object and background alike; J is the Jaccard index, intersection '
    'over union with the true mask. Rows of this project are means and standard deviations (of the '
    'sample) over the splits of one recipe under one protocol. Gated figures are those of the whole '
    'model, which empties the masks of a pair that it decides has nothing in common; ungated ones ignore the '
    'decision. If a pair shares nothing, empty masks are right. A dash is a figure that is missing; an empty '
    'cell is one that is not defined there, or that others did not report.'
)
RERUN = (
    'cosegnet train --config=default --workdir=DIR and these flags train a run again, with the flags of its '
    'network, --config.data.split and --config.seed; runs.jsonl has the whole command of each, also of '
    'those that were stopped or failed.'
)
LEFT_OUT = 'Evaluations that are in no table'
WHY_LEFT_OUT = (
    'The paper has no table of this network on this data set after training on that one, or the photos that '
    'were scored may be some that it was trained on. Figures may show them.'
)
NOT_SHOWN = 'Evaluations without photos to show'
WHY_NOT_SHOWN = (
    'The .npz beside each of them, with the photos, masks and embeddings that figures show, is not there. '
    'Tables, curves and decisions do without.'
)


@dataclasses.dataclass(frozen=True)
class _Training:
    """How runs of one recipe were trained."""

    name: str
    flags: str
    networks: tuple[str, ...]  # with their flags and splits


@dataclasses.dataclass(frozen=True)
class _Content:
    """What is on either page."""

    tables: Sequence[Table]
    figures: Sequence[PaperFigure]
    training: Sequence[_Training]
    left_out: Sequence[str]
    not_shown: Sequence[str]


def write_pages(folders: Sequence[Path], out: Path) -> str:
    """Set runs at or below `folders` beside the paper (tables.md, tables.html), and list them (runs.jsonl).

    The HTML page needs nothing beside it; the Markdown page shows the PNG files that are left in `out`.

    Returns:
        How many evaluations could be used and what was written, for the terminal.

    Raises:
        UserError: A folder holds no evaluated run, or a run cannot be read or averaged with the others.
    """
    run_log.write(folders, out / 'runs.jsonl')  # first, since it may be that none was evaluated
    runs = find(folders)
    keys = Keys.of(runs)
    tables = [*paper_tables(runs, keys), *other_sets(runs, keys)]
    used = {run for table in tables for run in table.runs}
    content = _Content(
        tables=tables,
        figures=write_figures(runs, out),
        training=[
            _training(f'Recipe {letter}', [run for run in runs if run.recipe == recipe])
            for recipe, letter in keys.recipes.items()
        ],
        left_out=[_named(run) for run in runs if run not in used],
        not_shown=[_named(run) for run in runs if not run.drawn_from.is_file()],
    )
    (out / 'tables.md').write_text(_markdown(content), encoding='utf-8')
    (out / 'tables.html').write_text(_html(content), encoding='utf-8')
    counted = f'{len(used)} of {len(runs)} evaluations are in the tables.'
    return f'{counted}\nOpen {out}/tables.html to see them; tables.md and runs.jsonl are beside it.'


def _training(name: str, runs: Sequence[Evaluated]) -> _Training:
    splits: dict[tuple[str, str], set[tuple[int, int]]] = {}  # a run may be evaluated on several sets
    for run in runs:
        splits.setdefault((MODELS[run.model], run.model_flags), set()).add((run.seed, run.split))
    networks = [
        f'{model}, {its_flags}: {", ".join(f"split {split} of seed {seed}" for seed, split in sorted(of_it))}'
        for (model, its_flags), of_it in splits.items()
    ]
    return _Training(name, flags(runs[0].recipe), tuple(networks))


def _named(run: Evaluated) -> str:
    return (
        f'{run.file}: {MODELS[run.model]}{f" ({run.tap})" * bool(run.tap)} trained on {run.trained_on}, '
        f'{run.part} of {run.dataset}'
    )


def _markdown(content: _Content) -> str:
    parts = [f'# {TITLE}', SUMMARY, '## How to read this', READING]
    for table in content.tables:
        parts += [f'## {table.title}', _markdown_table(table), *table.notes]
    for figure in content.figures:
        alt = figure.alt.replace('[', '(').replace(']', ')')
        parts += [f'## {figure.title}', f'![{alt}]({figure.file.name})', figure.caption]
    parts += ['## Recipes', RERUN]
    for training in content.training:
        parts += [f'### {training.name}', f'```\n{training.flags}\n```', _bullets(training.networks)]
    if content.left_out:
        parts += [f'## {LEFT_OUT}', WHY_LEFT_OUT, _bullets(content.left_out)]
    if content.not_shown:
        parts += [f'## {NOT_SHOWN}', WHY_NOT_SHOWN, _bullets(content.not_shown)]
    return '\n\n'.join(parts) + '\n'


def _markdown_table(table: Table) -> str:
    rule = ('---',) * len(table.columns)
    lines = [table.columns, rule, *(row.cells for row in table.rows)]
    return '\n'.join(f'| {" | ".join(cell.replace("|", chr(92) + "|") for cell in line)} |' for line in lines)


def _bullets(lines: Sequence[str]) -> str:
    return '\n'.join(f'- {line}' for line in lines)


def _html(content: _Content) -> str:
    sections = [
        ('How to read this', f'<p>{html.escape(READING)}</p>'),
        *((table.title, _html_table(table)) for table in content.tables),
        ('Figures', ''.join(_html_figure(figure) for figure in content.figures)),
        ('Recipes', f'<p>{html.escape(RERUN)}</p>' + ''.join(map(_html_training, content.training))),
        (LEFT_OUT, _html_listed(WHY_LEFT_OUT, content.left_out)),
        (NOT_SHOWN, _html_listed(WHY_NOT_SHOWN, content.not_shown)),
    ]
    return html_page.page(TITLE, SUMMARY, sections, _STYLE)


def _html_table(table: Table) -> str:
    ours = [number for number, row in enumerate(table.rows) if row.ours]
    rows = [[cell.replace('± ', '±\N{NO-BREAK SPACE}') for cell in row.cells] for row in table.rows]
    caption = 'Tinted rows are those of this project.'
    body = html_page.table(caption, table.columns, rows, ours, label=table.title)
    notes = ''.join(f'<p class="note">{html.escape(note)}</p>' for note in table.notes)
    return body + notes


def _html_figure(figure: PaperFigure) -> str:
    uri = html_page.data_uri('image/png', figure.file.read_bytes())
    return (
        f'<h3>{html.escape(figure.title)}</h3><figure>{html_page.image(uri, figure.alt)}'
        f'<figcaption class="note">{html.escape(figure.caption)}</figcaption></figure>'
    )


def _html_training(training: _Training) -> str:
    command = f'<pre>{html.escape(training.flags)}</pre>'
    return f'<h3>{html.escape(training.name)}</h3>{command}{_list(training.networks)}'


def _html_listed(why: str, lines: Sequence[str]) -> str:
    return f'<p>{html.escape(why)}</p>{_list(lines)}' if lines else ''


def _list(lines: Sequence[str]) -> str:
    return f'<ul>{"".join(f"<li>{html.escape(line)}</li>" for line in lines)}</ul>'


_STYLE = """
body { max-width: 84rem; }
.wide tbody th { min-width: 11rem; }
.wide tbody td:last-child { min-width: 14rem; }
.wide th, .wide td { padding: .35rem .75rem .35rem .5rem; font-size: .875rem; line-height: 1.35; }
.note { margin: .2rem 0; max-width: 64rem; }
figure { margin: 0 0 2rem; }
pre { padding: .6rem .8rem; border: 1px solid var(--line); border-radius: .4rem; font-size: .8125rem;
  white-space: pre-wrap; }
li { font-size: .875rem; overflow-wrap: anywhere; }
"""
