"""Evaluate a run.

python eval.py --config=configs/shapes.py --workdir=runs/shapes [--checkpoint_step=N]

Prints the figures beside the paper's, and writes WORKDIR/eval/results.json, WORKDIR/eval/pairs.png
and WORKDIR/report.html.
"""

from absl import flags

from cosegnet_jax import cli
from cosegnet_jax.config import Config
from cosegnet_jax.evaluation.run import evaluate_run

_STEP = flags.DEFINE_integer(
    'checkpoint_step', None, 'Checkpoint to read; without it, the best by validation.'
)


def main(config: Config) -> None:
    """Scores one checkpoint of a run."""
    print(evaluate_run(config, cli.workdir(), _STEP.value))


if __name__ == '__main__':
    cli.run(main)
