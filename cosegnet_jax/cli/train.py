"""Train CoSegNet.

cosegnet train --config=shapes --workdir=runs/shapes [--config.key=value ...]
"""

from cosegnet_jax.cli import command_line
from cosegnet_jax.evaluation.scoring import validate
from cosegnet_jax.training.loop import train


def main() -> None:
    """Trains, going on where an earlier run in the same folder stopped."""
    train(command_line.config(), command_line.workdir(), validate)
