"""Train CoSegNet.

python train.py --config=configs/shapes.py --workdir=runs/shapes [--config.key=value ...]
"""

from cosegnet_jax import cli
from cosegnet_jax.config import Config
from cosegnet_jax.evaluation.validate import validate
from cosegnet_jax.training.loop import train


def main(config: Config) -> None:
    """Trains, going on where an earlier run in the same folder stopped."""
    train(config, cli.workdir(), validate)


if __name__ == '__main__':
    cli.run(main)
