"""Tables 1-6 of the paper, made from finished runs, beside the published scores."""

from __future__ import annotations

import dataclasses
import itertools
import math
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cosegnet_jax.evaluation import published
from cosegnet_jax.evaluation.published import INTERNET, MSRC, PASCAL, PublishedRow
from cosegnet_jax.reports.finished_runs import MODELS, Evaluated, Recipe
from cosegnet_jax.reports.tables.over_splits import PER_RUN, Spread, over_splits
from cosegnet_jax.reports.tables.score_tables import DASH, percent, ratio

DECISIONS = {
    'Decision accuracy, balanced': 'decision.balanced_accuracy',
    'Decision AUC': 'decision.auc',
    'Empty masks where nothing is shared': 'decision.null_mask_rate',
}
ABLATION = {'J, gated': 'jaccard', 'J, ungated': 'jaccard_ungated', **DECISIONS}
OURS = 'this project: '
PRINTED = (
    'Rows of the paper are as printed there: 224×224 pixels, trained on random splits that are not published '
    '(on PASCAL-VOC the average over 100 of them), and for methods of others under protocols of their own. '
    'They give an order of magnitude, not a ranking.'
)

Variant = tuple[str, str]  # model and tap
COSEGNET, PEERS = ('cosegnet', 'cT9'), (('deep_object_coseg', ''), ('attention', ''))
Setting = tuple[tuple[str, Any], ...]  # what was scored, and each choice of how


@dataclasses.dataclass(frozen=True)
class Row:
    """One line, as it is printed."""

    cells: tuple[str, ...]
    ours: bool  # measured by runs, not published


@dataclasses.dataclass(frozen=True)
class Table:
    """One table, with notes on how to read it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]  # where published figures come from, and the protocol of each row of ours
    runs: tuple[Evaluated, ...]  # that are in it


@dataclasses.dataclass(frozen=True)
class Keys:
    """Short names of recipes and protocols."""

    recipes: Mapping[Recipe, str]  # letters
    protocols: Mapping[Setting, int]

    @classmethod
    def of(cls, runs: Iterable[Evaluated]) -> Keys:
        """Name recipes and protocols in the order in which the tables of `runs` need them."""
        order = [*published.ROWS, None]
        runs = sorted(runs, key=lambda run: order.index(published.data_set(run.dataset)))
        recipes = dict.fromkeys(run.recipe for run in runs)
        settings = dict.fromkeys(_setting(run) for run in runs)
        words = (itertools.product(string.ascii_uppercase, repeat=length) for length in itertools.count(1))
        letters = map(''.join, itertools.chain.from_iterable(words))
        numbers = itertools.count(1)
        return cls(dict(zip(recipes, letters, strict=False)), dict(zip(settings, numbers, strict=False)))


@dataclasses.dataclass(frozen=True)
class Methods:
    """A table of the paper that compares methods on one data set."""

    name: str
    data_set: str
    trained_on: str
    networks: tuple[Variant, ...]  # that runs are awaited of
    classes: tuple[str, ...] = ()  # that have columns of their own


@dataclasses.dataclass(frozen=True)
class _Ablation:
    """A table of the paper that compares variants of CoSegNet."""

    name: str
    subject: str
    variants: Mapping[str, Variant]  # by column
    trained_on: Mapping[str, str]  # by data set
    printed: Mapping[str, Mapping[str, float | None]]  # Jaccard by data set and column


_METHODS = (
    Methods('Table 1', PASCAL, PASCAL, (COSEGNET, *PEERS)),
    Methods('Table 2', INTERNET, INTERNET, (COSEGNET, *PEERS), published.INTERNET_CLASSES),
    Methods('Table 3', INTERNET, PASCAL, (COSEGNET,), published.INTERNET_CLASSES),
    Methods('Table 4', MSRC, PASCAL, (COSEGNET, *PEERS)),
)
_ABLATIONS = (
    _Ablation(
        name='Table 5',
        subject='CoSegNet-base and CoSegNet',
        variants={'CoSegNet-base': ('base', ''), 'CoSegNet': COSEGNET},
        trained_on={PASCAL: PASCAL, INTERNET: INTERNET, MSRC: PASCAL},
        printed=published.BY_NETWORK,
    ),
    _Ablation(
        name='Table 6',
        subject='the layer that feeds the metric network',
        variants={tap: ('cosegnet', tap) for tap in published.BY_TAP[PASCAL]},
        trained_on={PASCAL: PASCAL, INTERNET: PASCAL},
        printed=published.BY_TAP,
    ),
)


def paper_tables(runs: Sequence[Evaluated], keys: Keys) -> list[Table]:
    """Make the six tables; a line of dashes stands where there is no run for one of the paper's.

    A line of ours is the mean over the splits of one recipe under one protocol. Only runs that are scored on
    images they have not seen count: on the test part of their own data set, or on another one.

    Raises:
        UserError: Two runs of a line are of one split, or decided on pairs in different ways.
    """
    return [
        *(_methods(table, runs, keys) for table in _METHODS),
        *(_ablation(table, runs, keys) for table in _ABLATIONS),
    ]


def _methods(table: Methods, runs: Sequence[Evaluated], keys: Keys) -> Table:
    means = [f'{name} {figure}' for name in (*table.classes, 'mean') for figure in ('P (%)', 'J')]
    columns = ('Method', *(means if table.classes else ('P (%)', 'J')), *DECISIONS, 'From')
    rows = [
        _printed_row(row, f'paper, {row.source}', table)
        for row in published.ROWS[table.data_set]
        if row.source == table.name
    ]
    rows += [_printed_row(row, row.source, table) for row in published.ELSEWHERE.get(table.name, ())]
    unseen = _unseen(runs, table.data_set, table.trained_on)
    used = []
    for network in table.networks:
        groups = same_recipe(run for run in unseen if network_of(run) == network)
        name = MODELS[network[0]]
        for group in groups:
            rows += measured_rows(name, group, keys, table)
            used += group
        if not groups:
            rows.append(_no_run(name, columns))
    title = f'{table.name}: {_scored(table.data_set, table.trained_on)}'
    return Table(title, columns, tuple(rows), notes_of(used, keys), tuple(used))


def _printed_row(row: PublishedRow, source: str, table: Methods) -> Row:
    figures = [(row.precision, row.jaccard)]
    if table.classes:
        figures = [*published.BY_CLASS[row.source, row.method], *figures]
    shares = [text for p, j in figures for text in (percent(p), ratio(j, decimals=2))]
    return Row((row.method, *shares, *[''] * len(DECISIONS), source), ours=False)


def measured_rows(name: str, group: Sequence[Evaluated], keys: Keys, table: Methods) -> list[Row]:
    """Two lines, since decisions are the same with and without the gate."""
    spreads = over_splits(group)
    classes = [f'per_class.{_called(name, group)}.' for name in table.classes]

    def shares(ending: str) -> list[str]:
        return [
            _mean(spreads.get(f'{prefix}{figure}{ending}'), form)
            for prefix in (*classes, '')
            for figure, form in (('precision', percent), ('jaccard', ratio))
        ]

    decisions = [_mean(spreads[figure], ratio) for figure in DECISIONS.values()]
    splits = f'{len(group)} split{"s" * (len(group) > 1)} of {group[0].trained_on}'
    source = f'{OURS}{splits}, {_source(group[0], keys)}'
    return [
        Row((f'{name}, gated', *shares(''), *decisions, source), ours=True),
        Row((f'{name}, ungated', *shares('_ungated'), *[''] * len(decisions), source), ours=True),
    ]


def _ablation(table: _Ablation, runs: Sequence[Evaluated], keys: Keys) -> Table:
    columns = ('Data set', 'Figure', *table.variants, 'From')
    rows, used = [], []
    for data_set, trained_on in table.trained_on.items():
        scored = _scored(data_set, trained_on)
        printed = [ratio(table.printed[data_set][column], decimals=2) for column in table.variants]
        rows.append(Row((scored, 'J', *printed, f'paper, {table.name}'), ours=False))
        variants = table.variants.values()
        groups = same_recipe(
            run for run in _unseen(runs, data_set, trained_on) if network_of(run) in variants
        )
        for group in groups:
            rows += _ablation_rows(scored, group, variants, keys)
            used += group
        if not groups:
            rows.append(_no_run(scored, columns))
    return Table(f'{table.name}: {table.subject}', columns, tuple(rows), notes_of(used, keys), tuple(used))


def _ablation_rows(name: str, group: list[Evaluated], variants: Iterable[Variant], keys: Keys) -> list[Row]:
    runs = [[run for run in group if network_of(run) == variant] for variant in variants]
    spreads = [over_splits(some) if some else {} for some in runs]
    lines = {'splits': [str(len(some)) if some else DASH for some in runs]}
    for label, figure in ABLATION.items():
        lines[label] = [_mean(spread.get(figure), ratio) for spread in spreads]
    source = f'{OURS}trained on {group[0].trained_on}, {_source(group[0], keys)}'
    return [Row((name, label, *cells, source), ours=True) for label, cells in lines.items()]


def _no_run(name: str, columns: Sequence[str]) -> Row:
    return Row((name, *[DASH] * (len(columns) - 2), f'{OURS}no run'), ours=True)


def _unseen(runs: Iterable[Evaluated], scored: str, trained_on: str) -> list[Evaluated]:
    """Select runs of a training set that were scored on unseen images of a data set."""
    sets = scored, trained_on
    return [
        run
        for run in runs
        if run.is_unseen and (published.data_set(run.dataset), published.data_set(run.trained_on)) == sets
    ]


def same_recipe(runs: Iterable[Evaluated]) -> list[list[Evaluated]]:
    """Group runs by recipe and protocol, in the order given."""
    groups = {}
    for run in runs:
        groups.setdefault((run.recipe, _setting(run)), []).append(run)
    return list(groups.values())


def network_of(run: Evaluated) -> Variant:
    """Model and tap, which together name a column or line."""
    return run.model, run.tap


def _setting(run: Evaluated) -> Setting:
    """Return what was scored and how; `decided_by` may differ between networks."""
    apart = (*PER_RUN, 'decided_by')
    protocol = (item for item in run.document['protocol'].items() if item[0] not in apart)
    return ('dataset', run.dataset), ('part', run.part), *protocol


def _called(name: str, group: Sequence[Evaluated]) -> str:
    """Find the runs' own name of a class of the paper; a folder may be called Car100, for instance."""
    return next((own for own in group[0].document['per_class'] if own.lower().startswith(name)), name)


def _scored(data_set: str, trained_on: str) -> str:
    return data_set if data_set == trained_on else f'{data_set}, trained on {trained_on}'


def _mean(spread: Spread | None, form: Callable[[float], str]) -> str:
    if spread is None or math.isnan(spread.mean):
        return DASH
    deviation = '' if math.isnan(spread.std) else f' ± {form(spread.std)}'
    defined = sum(not math.isnan(value) for value in spread.values)
    few = f' ({defined} of {len(spread.values)})' if defined < len(spread.values) else ''
    return f'{form(spread.mean)}{deviation}{few}'


def _source(run: Evaluated, keys: Keys) -> str:
    return f'recipe {keys.recipes[run.recipe]}, protocol {keys.protocols[_setting(run)]}'


def notes_of(used: Sequence[Evaluated], keys: Keys) -> tuple[str, ...]:
    """What has to be known to read lines of runs: where the paper's come from, protocols, decisions."""
    settings = dict.fromkeys(_setting(run) for run in used)
    protocols = [f'Protocol {keys.protocols[setting]}: {_words(setting)}.' for setting in settings]
    decided = dict.fromkeys((MODELS[run.model], run.document['protocol']['decided_by']) for run in used)
    by = [f'Decisions of {model}: {words}.' for model, words in decided]
    return (PRINTED, *protocols, *by)


def _words(setting: Setting) -> str:
    """Say in words what was scored, and every choice of the protocol."""
    choices = {key: value for key, value in setting if value not in (None, '')}
    name, part, dataset = (choices.pop(key) for key in ('name', 'part', 'dataset'))
    images = 'all images' if part == 'all' else f'the {part} part'
    rest = '; '.join(f'{key.replace("_", " ")}: {_word(value)}' for key, value in choices.items())
    return f'{name}, on {images} of {dataset}; {rest}'


def _word(value: Any) -> str:
    return {True: 'yes', False: 'no'}[value] if isinstance(value, bool) else str(value)
