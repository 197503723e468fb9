"""Several runs as one result: the mean over random splits (§4.2)."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cosegnet_jax.evaluation.published_protocols import SCORES
from cosegnet_jax.reports.finished_runs import Evaluated
from cosegnet_jax.runtime.errors import UserError

PER_RUN = ('seed', 'split')  # of the protocol; with the rest, all runs have to agree


@dataclasses.dataclass(frozen=True)
class Spread:
    """One score over several runs; NaN where it is not defined."""

    mean: float
    std: float  # of the sample, with n - 1; of a single run it is not defined
    values: tuple[float, ...]  # of each run, in the order given


def over_splits(runs: Sequence[Evaluated]) -> dict[str, Spread]:
    """Compute mean, standard deviation and list of every score of runs that differ in their split.

    Args:
        runs: of one network and one recipe, at least one.

    Returns:
        Scores by name, such as 'jaccard', 'decision.auc' and 'per_class.cow.jaccard'. A score that a run
        lacks is NaN in its list, and left out of mean and deviation.

    Raises:
        UserError: A run differs from the first one in training, protocol or data set, or two have the same
            split.
    """
    for run in runs[1:]:
        _check_alike(runs[0], run)
    _check_splits_differ(runs)
    figures = [dict(_figures(run.document)) for run in runs]
    names = dict.fromkeys(name for of_run in figures for name in of_run)  # in order, once each
    return {name: _spread([of_run.get(name, math.nan) for of_run in figures]) for name in names}


def _check_alike(first: Evaluated, other: Evaluated) -> None:
    def choices(run: Evaluated) -> dict[str, Any]:
        protocol = run.document['protocol'].items()
        return {
            'network': run.model_flags,
            **dict(run.recipe),
            'dataset': run.dataset,
            'split': run.part,
            **{f'protocol.{key}': value for key, value in protocol if key not in PER_RUN},
        }

    found = choices(other)
    for key, value in choices(first).items():
        if found.get(key) != value:
            raise UserError(
                f'{other.file}: its {key} is {found.get(key)!r}, but in {first.file} it is {value!r}; '
                'train and evaluate both alike'
            )


def _check_splits_differ(runs: Sequence[Evaluated]) -> None:
    seen = {}
    for run in runs:
        split = run.seed, run.split
        if split in seen:
            raise UserError(
                f'{run.file}: the same split as {seen[split]}; train runs with other config.data.split'
            )
        seen[split] = run.file


def _figures(document: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """List every score with its name; null becomes NaN."""
    sections: dict[str, Mapping[str, Any]] = {'': {key: document[key] for key in SCORES}}
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
