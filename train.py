"""Train CoSegNet.

python train.py --config=configs/shapes.py --workdir=runs/shapes [--config.key=value ...]
"""

from pathlib import Path

from cosegnet_jax import cli
from cosegnet_jax.config import Config
from cosegnet_jax.evaluation.validate import validate
from cosegnet_jax.training.loop import train


def main(config: Config, workdir: Path) -> None:
    """Trains, going on where an earlier run in `workdir` stopped."""
    train(config, workdir, validate)


if __name__ == '__main__':
    cli.run(main)
