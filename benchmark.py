"""Measure a config.

python benchmark.py --config=configs/pascal_voc.py --mode=train

`cosegnet benchmark` is the same where the package is installed. --help says more;
cosegnet_jax/commands/benchmark.py does it.
"""

from cosegnet_jax import cli
from cosegnet_jax.commands.benchmark import main

if __name__ == '__main__':
    cli.start(main)
