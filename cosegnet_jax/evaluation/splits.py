"""Several runs as one result: the mean over random splits, as the paper reports it (§4.2)."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cosegnet_jax.errors import UserError

FIGURES = ('precision', 'jaccard', 'precision_ungated', 'jaccard_ungated')
PER_RUN = ('seed', 'split')  # of the protocol; with the rest, all runs have to agree


@dataclasses.dataclass(frozen=True)
class Spread:
    """One figure over several runs; NaN where it is not defined."""

    mean: float
    std: float  # of the sample, with n - 1; of a single run it is not defined
    values: tuple[float, ...]  # of each run, in the order given


def over_splits(workdirs: Sequence[Path]) -> dict[str, Spread]:
    """Mean, standard deviation and list of every figure of runs that differ in their split.

    Args:
        workdirs: folders of evaluated runs, at least one.

    Returns:
        Figures by name, such as 'jaccard', 'decision.auc' and 'per_class.cow.jaccard'. A class or figure
        that one run lacks is NaN in its list, and left out of mean and deviation.

    Raises:
        UserError: A run has not been evaluated, it was so under another protocol or on another data set
            than the first one, or two of them are of one split.
    """
    files = [folder / 'eval' / 'results.json' for folder in workdirs]
    documents = [_read(file) for file in files]
    for file, document in zip(files[1:], documents[1:], strict=True):
        _check_alike(files[0], documents[0], file, document)
    _check_splits_differ(files, documents)
    runs = [dict(_figures(document)) for document in documents]
    names = dict.fromkeys(name for run in runs for name in run)  # in order, once each
    return {name: _spread([run.get(name, math.nan) for run in runs]) for name in names}


def _read(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding='utf-8'))
    except FileNotFoundError as error:
        raise UserError(f'{file}: no such file; evaluate this run first, with eval.py') from error
    except ValueError as error:
        raise UserError(f'{file}: not valid JSON; evaluate this run again, with eval.py') from error


def _check_alike(first: Path, expected: dict[str, Any], file: Path, found: dict[str, Any]) -> None:
    def choices(document: dict[str, Any]) -> dict[str, Any]:
        protocol = {f'protocol.{key}': v for key, v in document['protocol'].items() if key not in PER_RUN}
        return {'dataset': document['dataset'], 'split': document['split'], **protocol}

    for key, value in choices(expected).items():
        other = choices(found).get(key)
        if other != value:
            raise UserError(
                f'{file}: its {key} is {other!r}, but in {first} it is {value!r}; evaluate both alike'
            )


def _check_splits_differ(files: Sequence[Path], documents: Sequence[dict[str, Any]]) -> None:
    """Runs on a whole set, such as MSRC, may share the numbers of a split that nothing was split by."""
    seen = {}
    for file, document in zip(files, documents, strict=True):
        split = tuple(document['protocol'][key] for key in PER_RUN)
        if document['split'] != 'all' and split in seen:
            raise UserError(
                f'{file}: the same split as {seen[split]}; train runs with other config.data.split'
            )
        seen[split] = file


def _figures(document: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Every figure with its name; null is NaN."""
    sections: dict[str, Mapping[str, Any]] = {'': {key: document[key] for key in FIGURES}}
    sections['decision.'] = document['decision']
    for name, scores in document['per_class'].items():
        sections[f'per_class.{name}.'] = scores
    for prefix, section in sections.items():
        for key, value in section.items():
            yield prefix + key, math.nan if value is None else float(value)


def _spread(values: list[float]) -> Spread:
    defined = [value for value in values if not math.isnan(value)]
    return Spread(
        mean=statistics.fmean(defined) if defined else math.nan,
        std=statistics.stdev(defined) if len(defined) > 1 else math.nan,
        values=tuple(values),
    )
