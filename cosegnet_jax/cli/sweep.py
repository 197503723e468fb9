"""Train and evaluate every variant of a config on several splits, one after another.

cosegnet sweep --config=ablation --workdir=runs/ablation --splits=3 [--also=msrc]

Each run has its folder WORKDIR/VARIANT/splitN. The same command goes on where a sweep was stopped.
"""

import functools

from absl import flags

from cosegnet_jax.cli import command_line
from cosegnet_jax.export.starting import begin
from cosegnet_jax.reports.sweep import plan, sweep, variants_of
from cosegnet_jax.training.loop import train

_SPLITS = flags.DEFINE_integer(
    'splits', 1, 'How many random splits to train on, from config.data.split on.', lower_bound=1
)
_ALSO = flags.DEFINE_list('also', [], 'Prepared sets to score every run on as well, the whole of each.')


def main() -> None:
    """Run what is left of a sweep."""
    config = command_line.config()
    variants = variants_of(command_line.config_file())
    runs = plan(config, variants, _SPLITS.value)
    sweep(runs, command_line.workdir(), _ALSO.value, functools.partial(train, begin=begin))
