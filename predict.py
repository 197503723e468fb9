"""Find what photos have in common.

python predict.py --workdir=runs/pascal --images=FOLDER --out=OUT

`cosegnet predict` is the same where the package is installed. --help says more;
cosegnet_jax/commands/predict.py does it.
"""

from cosegnet_jax import cli
from cosegnet_jax.commands.predict import main

if __name__ == '__main__':
    cli.start(main)
