"""Train CoSegNet.

cosegnet train --config=shapes --workdir=runs/shapes [--config.key=value ...]
"""

from cosegnet_jax import cli
from cosegnet_jax.evaluation.validate import validate
from cosegnet_jax.training.loop import train


def main() -> None:
    """Trains, going on where an earlier run in the same folder stopped."""
    train(cli.config(), cli.workdir(), validate)
