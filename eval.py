"""Evaluate a run, or set many runs beside the paper.

python eval.py --config=configs/shapes.py --workdir=runs/shapes

`cosegnet eval` is the same where the package is installed. --help says more;
cosegnet_jax/commands/eval.py does it.
"""

from cosegnet_jax import cli
from cosegnet_jax.commands.eval import main

if __name__ == '__main__':
    cli.start(main)
