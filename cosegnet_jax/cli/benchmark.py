"""Measure a config.

cosegnet benchmark --config=NAME --mode=MODE [--config.key=value …]

MODE is train, epoch, eval, pairs, input, compile or compile_eval.

--model=NAME in the place of --config=NAME measures the network of a run, an exported one, or `shipped`.

Prints a line of JSON; 'pairs' prints one for each number of images. --peer=SCRIPT runs another program in
turn with this one and adds the ratio; --peer_args and --peer_python say how. --topology=v5e:2x2 compiles for
TPUs that need not be there. --table prints a Markdown table at the end instead.
"""

import shlex
import sys

from absl import flags

from cosegnet_jax.benchmark import compilation, modes, peer, table
from cosegnet_jax.cli import command_line, segmenter  # noqa: F401 - defines --model
from cosegnet_jax.runtime.errors import UserError

_MODE = flags.DEFINE_enum('mode', 'train', list(modes.MODES), 'What to measure.')
_BLOCKS = flags.DEFINE_integer('blocks', 5, 'Timed blocks, of which the median counts.', lower_bound=1)
_REPEATS = flags.DEFINE_integer('repeats', 1, 'Steps of a block.', lower_bound=1)
_TABLE = flags.DEFINE_bool('table', False, 'Print a Markdown table.')
_TOPOLOGY = flags.DEFINE_string('topology', None, 'TPU slice to compile for, such as v5e:2x2.')
_PEER = flags.DEFINE_string('peer', None, 'Script that prints such a line, for train or eval.')
_PEER_ARGS = flags.DEFINE_string('peer_args', '', 'Its arguments.')
_PEER_PYTHON = flags.DEFINE_string('peer_python', sys.executable, 'The Python that runs it.')
_PEER_RUNS = flags.DEFINE_integer('peer_runs', 3, 'Runs of each, in turn.', lower_bound=1)


def main() -> None:
    """Print lines of JSON, or a table."""
    config = command_line.config()
    if _TOPOLOGY.value and (_MODE.value not in compilation.AHEAD or _PEER.value):
        named = ' and '.join(f'--mode={mode}' for mode in compilation.AHEAD)
        raise UserError(f'--topology={_TOPOLOGY.value}: only {named} read it, and without --peer')
    if _PEER.value:
        # Of a flag given twice the last counts.
        ours = [sys.executable, *sys.orig_argv[1:], '--peer=', '--notable']
        theirs = [_PEER_PYTHON.value, _PEER.value, *shlex.split(_PEER_ARGS.value)]
        rows = [peer.alternate(ours, theirs, _MODE.value, _PEER_RUNS.value)]
    elif _TOPOLOGY.value:
        rows = compilation.ahead(config, _MODE.value, _TOPOLOGY.value)
    else:
        rows = modes.MODES[_MODE.value](config, _BLOCKS.value, _REPEATS.value)
    table.write(({'mode': _MODE.value, **row} for row in rows), as_table=_TABLE.value)
