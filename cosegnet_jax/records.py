"""The scalars of a run, one JSON object a line, in WORKDIR/metrics.jsonl."""

from __future__ import annotations

import json
from pathlib import Path

Record = dict[str, int | float | None]  # 'step', and whatever was measured at it; None where undefined


def path(workdir: Path) -> Path:
    """The file that holds them."""
    return workdir / 'metrics.jsonl'


def read(workdir: Path) -> list[Record]:
    """The records so far; a last line that was cut off while being written is left out."""
    file = path(workdir)
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith('\n')]
