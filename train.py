"""Train CoSegNet.

python train.py --config=configs/shapes.py --workdir=runs/shapes

`cosegnet train` is the same where the package is installed. --help says more; the flags are in
cosegnet_jax/commands/train.py, the training is cosegnet_jax/training/loop.py.
"""

from cosegnet_jax import cli
from cosegnet_jax.commands.train import main

if __name__ == '__main__':
    cli.start(main)
