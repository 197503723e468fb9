"""Train CoSegNet.

python train.py --config=configs/shapes.py --workdir=runs/shapes

`cosegnet train` is the same where the package is installed. --help says more; the flags are in
cosegnet_jax/cli/train.py, the training is cosegnet_jax/training/loop.py.
"""

from cosegnet_jax.cli import command_line

if __name__ == '__main__':
    command_line.run('train')
