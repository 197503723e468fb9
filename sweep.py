"""Train and evaluate every variant of a config on several splits, one after another.

python sweep.py --config=configs/ablation.py --workdir=runs/ablation --splits=3

`cosegnet sweep` is the same where the package is installed. --help says more;
cosegnet_jax/commands/sweep.py does it.
"""

from cosegnet_jax import cli
from cosegnet_jax.commands.sweep import main

if __name__ == '__main__':
    cli.start(main)
