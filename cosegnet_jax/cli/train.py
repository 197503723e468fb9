"""Train a network.

cosegnet train --config=shapes --workdir=runs/shapes [--config.key=value ...]

--config.model.weights=shipped starts from the network that comes with the package, and
--config.model.weights=NAME from another one: a run, or a file or folder of cosegnet export. The config
own_photos does so. The same command continues where it was stopped.
"""

from cosegnet_jax import networks
from cosegnet_jax.cli import command_line
from cosegnet_jax.evaluation.scoring import validate
from cosegnet_jax.export.starting import begin
from cosegnet_jax.training.loop import train


def main() -> None:
    """Train, going on where an earlier run in the same folder stopped."""
    config, workdir = command_line.config(), command_line.workdir()
    train(config, workdir, validate, begin)
    print(f'The run is in {workdir}: checkpoints/, metrics.jsonl, and events/ for TensorBoard.')
    print(f'Score it:  cosegnet eval --workdir={workdir}')
    if not networks.NETWORKS[config.model.name].of_pairs:
        print(f'Use it:    cosegnet predict PHOTOS --model={workdir}')
