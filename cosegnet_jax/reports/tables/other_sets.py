"""A table for each set that the paper does not have, such as one of own photos."""

from __future__ import annotations

from collections.abc import Sequence

from cosegnet_jax.evaluation import published
from cosegnet_jax.reports.finished_runs import MODELS, Evaluated
from cosegnet_jax.reports.tables.paper_tables import (
    DECISIONS,
    Keys,
    Methods,
    Table,
    measured_rows,
    network_of,
    notes_of,
    same_recipe,
)

SEEN_UNKNOWN = (
    'Exported networks do not say which photos they were trained on: see to it yourself that it was none of '
    'these.'
)


def other_sets(runs: Sequence[Evaluated], keys: Keys) -> list[Table]:
    """A table for each set that the paper does not have, with all networks that were not trained on it.

    Exported networks do not say which photos they were trained on; their lines are there, and a note.
    """
    tables: dict[str, list[Evaluated]] = {}
    for run in runs:
        if published.data_set(run.dataset) is None and not run.seen:
            tables.setdefault(run.dataset, []).append(run)
    columns = ('Network', 'P (%)', 'J', *DECISIONS, 'From')
    made = []
    for data_set, some in tables.items():
        rows = []
        for network, trained_on in dict.fromkeys((network_of(run), run.trained_on) for run in some):
            of_it = [run for run in some if (network_of(run), run.trained_on) == (network, trained_on)]
            table = Methods(data_set, data_set, trained_on, (network,))
            for group in same_recipe(of_it):
                rows += measured_rows(f'{MODELS[network[0]]} trained on {trained_on}', group, keys, table)
        _, *notes = notes_of(some, keys)
        if any(run.seen is None for run in some):
            notes.append(SEEN_UNKNOWN)
        made.append(Table(data_set, columns, tuple(rows), tuple(notes), tuple(some)))
    return made
