"""Another implementation, measured alternately with ours."""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Sequence
from typing import Any

from cosegnet_jax.runtime.errors import UserError

RATES = {'train': ('triplets_per_s', 'images_per_s'), 'eval': ('pairs_per_s', 'images_per_s')}


def alternate(ours: Sequence[str], theirs: Sequence[str], mode: str, runs: int) -> dict[str, Any]:
    """Run two commands alternately and compare them pair by pair, so that drift of the machine affects both.

    Args:
        ours: Command that prints a line of JSON with a rate of `mode`.
        theirs: Likewise. The first rate that both print is compared.
        mode: Key of RATES.
        runs: Of each.

    Returns:
        The last line of ours, its rate the median; the last line of theirs as `peer`; `peer_<rate>`, the
        median; `peer_ratios`, ours over theirs run by run; and `peer_ratio`, their median.

    Raises:
        UserError: No rate is compared in this mode, or a command failed or printed no such line.
    """
    if mode not in RATES:
        raise UserError(f'--mode={mode}: with --peer it must be one of {", ".join(RATES)}')
    pairs = [(_line(ours, RATES[mode]), _line(theirs, RATES[mode])) for _ in range(runs)]
    rate = _first_of_both(*pairs[0], RATES[mode], theirs)
    ratios = [a[rate] / b[rate] for a, b in pairs]
    return {
        **pairs[-1][0],
        rate: statistics.median(a[rate] for a, _ in pairs),
        'peer': pairs[-1][1],
        f'peer_{rate}': statistics.median(b[rate] for _, b in pairs),
        'peer_ratio': statistics.median(ratios),
        'peer_ratios': ratios,
    }


def _first_of_both(
    ours: dict[str, Any], theirs: dict[str, Any], rates: Sequence[str], command: Sequence[str]
) -> str:
    for rate in rates:
        if rate in ours and rate in theirs:
            return rate
    raise UserError(
        f'{" ".join(command)}: prints no rate that is measured here too, of {" and ".join(rates)}'
    )


def _line(command: Sequence[str], rates: Sequence[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in reversed(done.stdout.splitlines()):
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(row, dict) and any(rate in row for rate in rates):
            return row
    reason = (done.stderr.strip().splitlines() or ['it said nothing'])[-1]
    raise UserError(
        f'{" ".join(command)}: printed no JSON line with {" or ".join(rates)} '
        f'(status {done.returncode}: {reason})'
    )
