"""Rows of a measurement as JSON or as a Markdown table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from cosegnet_jax.benchmark.row import Row


def write(rows: Iterable[Row], as_table: bool) -> None:
    """Print rows as lines of JSON when they are measured, or all of them as a table."""
    if as_table:
        print(markdown(list(rows)))
        return
    for row in rows:
        print(json.dumps(row), flush=True)  # the next may take long


def markdown(rows: Sequence[Row]) -> str:
    """Make a column for each row and a line for each key, in the order of keys.

    Numbers have four significant digits; keys of another program follow a dot.
    """
    columns = [_flat(row) for row in rows]
    keys = list(dict.fromkeys(key for column in columns for key in column))
    lines = [[key, *(_text(column.get(key, '')) for column in columns)] for key in keys]
    head, rule = ['' for _ in range(len(columns) + 1)], ['---'] * (len(columns) + 1)
    return '\n'.join(f'| {" | ".join(line)} |' for line in [head, rule, *lines])


def _flat(row: Row) -> Row:
    flat = {}
    for key, value in row.items():
        flat |= (
            {f'{key}.{inner}': v for inner, v in value.items()} if isinstance(value, dict) else {key: value}
        )
    return flat


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ', '.join(map(_text, value))
    if isinstance(value, float):
        return f'{value:.4g}'
    return '' if value is None else str(value)
