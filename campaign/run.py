"""Does what is left of the campaign: `python -m campaign.run --workdir=DIR --out=OUT [--minutes=25]`.

DIR has everything: what is done (results.jsonl), the output of all commands (log.txt), runs with checkpoints.
OUT gets a copy of what is worth bringing home, in few files, after every part. The same command goes on
where the last one stopped; a part that failed is not tried again unless its line in results.jsonl is removed.
How much is done was chosen by `campaign.pack`.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from absl import flags

from campaign import execute, plan
from cosegnet_jax import cli
from cosegnet_jax.errors import UserError

_OUT = flags.DEFINE_string('out', None, 'Folder for what is to be brought home.')
_MINUTES = flags.DEFINE_float('minutes', 25.0, 'Time to spend; what is left then is for the next call.')
_PEER = flags.DEFINE_string('peer', None, 'Another program, to be measured in turn (benchmark.py).')
_PEER_PYTHON = flags.DEFINE_string('peer_python', None, 'The Python that runs it.')


def main() -> None:
    """Runs the campaign on the machine that it is on."""
    cli.refuse_config()
    if not _OUT.value:
        raise UserError('--out=DIR is missing: name the folder for what is to be brought home')
    workdir, out = cli.workdir().resolve(), cli.writable('out', _OUT.value)
    peer = _PEER.value and plan.Peer(str(Path(_PEER.value).resolve()), _PEER_PYTHON.value or sys.executable)
    scale = execute.packed_scale(execute.HOME, workdir)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C, so that no command is left behind
    execute.campaign(plan.parts(scale, workdir, peer), workdir, out, 60 * _MINUTES.value)


if __name__ == '__main__':
    cli.start(main)
