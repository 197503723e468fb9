"""Results as a file for programs: `results.json`."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cosegnet_jax.evaluation.protocol import Results
from cosegnet_jax.evaluation.published import PublishedRow
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.runtime import files


def to_json(
    results: Results,
    *,
    split: str,
    network: TrainedNetwork,
    seen: int | None,
    published: Sequence[PublishedRow],
) -> dict[str, Any]:
    """Build the content of `results.json`: scores are in [0, 1], and None where they are not defined.

    Args:
        results: what `evaluate` returned.
        split: the part of the data set that was scored, e.g. `test`.
        network: what was scored.
        seen: how many of the scored photos trained it or chose its checkpoint; None where that is not known.
        published: rows of others to keep beside ours.
    """
    overall = dataclasses.asdict(results.overall)
    document = {
        'dataset': results.dataset,
        'split': split,
        'step': network.step,
        'images': results.images,
        **overall,
        'decision': dataclasses.asdict(results.decision),
        # Pairs without and with a common object, in bins of equal width of the probability from 0 to 1.
        'probabilities': dict(zip(('negative', 'positive'), results.probabilities.tolist(), strict=True)),
        'per_class': {name: dataclasses.asdict(scores) for name, scores in results.per_class.items()},
        # Under both readings of pairs with an outlier, where the set has any.
        'by_outlier_truth': {
            reading: dataclasses.asdict(scores) for reading, scores in results.by_outlier_truth.items()
        },
        'skipped_classes': list(results.skipped_classes),
        'baselines': {
            name: {'precision': scores.precision, 'jaccard': scores.jaccard}
            for name, scores in results.baselines.items()
        },
        'protocol': results.protocol.as_dict() | {'decided_by': results.decided_by},
        'training': {
            'dataset': network.dataset,
            'scored_photos_seen': seen,
            'config': dataclasses.asdict(network.config),
        },
        'published': [dataclasses.asdict(row) for row in published],
    }
    return _null_for_nan(document)


def result_name(dataset: str, part: str, protocol: str) -> str:
    """Name the files of an evaluation, which differ by data set, part and protocol."""
    return f'{dataset}-{part}-{protocol}'.replace('/', '-')


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write strict JSON as a whole: a crash leaves the old file."""
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + '\n'
    with files.write_atomically(path) as unfinished:
        unfinished.write_text(text, encoding='utf-8')


def _null_for_nan(value: Any) -> Any:
    """Replace NaN, which JSON lacks, by None."""
    if isinstance(value, dict):
        return {key: _null_for_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_null_for_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
