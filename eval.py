"""Evaluate a run, or set many runs beside the paper.

python eval.py --config=configs/shapes.py --workdir=runs/shapes

`cosegnet eval` is the same where the package is installed. --help says more;
cosegnet_jax/cli/eval.py does it.
"""

from cosegnet_jax.cli import command_line

if __name__ == '__main__':
    command_line.run('eval')
