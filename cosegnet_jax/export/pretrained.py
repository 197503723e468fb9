"""A trained network by its name: a run, an exported file, a repository on the Hub, or the shipped one."""

from __future__ import annotations

import re
from pathlib import Path

from jax.sharding import Mesh

from cosegnet_jax.export import model_file, shipped_network
from cosegnet_jax.export.model_file import NAME
from cosegnet_jax.networks.image_network import ImageNetwork
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path
from cosegnet_jax.training import checkpoints, run_files
from cosegnet_jax.weights.hub import download

HUB = 'hf:'  # without it a name is looked for on this machine only: anybody can own the repository of a typo
_ON_THE_HUB = re.compile(r'hf:(?P<repository>[\w-][\w.-]*/[\w-][\w.-]*)(@(?P<revision>\S+))?')


def load(name: str | None, mesh: Mesh, step: int | None = None) -> ImageNetwork:
    """Read a network that takes photos one by one.

    Args:
        name: Folder of a run, or what `find` takes; None is 'shipped'.
        mesh: Devices that each get all parameters.
        step: Which checkpoint of a run; None is the best by validation.

    Raises:
        UserError: There is none, it is damaged, or it is of a network that looks at pairs.
    """
    if run := run_folder(name):
        network = checkpoints.load_network(run, None, mesh, step)
        if not isinstance(network, ImageNetwork):
            raise model_file.wrong_kind(network.config.model, run)
        return network
    path = find(shipped_network.WORD if name is None else name)
    network = model_file.read(path, mesh)
    if step not in (None, network.step):
        raise UserError(f'{path}: holds step {network.step} and not {step}; leave the step out')
    return network


def run_folder(name: str | None) -> Path | None:
    """The folder of a run that a name means; None where it means another thing."""
    if name is None or name.startswith(HUB):
        return None
    folder = local_path(name)
    return folder if checkpoints.folder(folder).is_dir() else None


def config_file(name: str) -> Path:
    """The file that holds the config of a network: WORKDIR/config.json of a run, or a model file.

    Raises:
        UserError: There is none.
    """
    run = run_folder(name)
    return run / run_files.CONFIG if run else find(name)


def find(name: str) -> Path:
    """The model file that is meant, downloaded once and kept in the Hub's cache if it is not here.

    Args:
        name: 'shipped', the network that comes with the package; a file; a folder that holds
            model.safetensors; or hf:OWNER/NAME on the Hub, the latest revision or hf:OWNER/NAME@REVISION
            (branch, tag or commit).

    Raises:
        UserError: There is no such thing, or it cannot be downloaded.
    """
    if name == shipped_network.WORD:
        return shipped_network.find()
    if name.startswith(HUB):
        there = _ON_THE_HUB.fullmatch(name)
        if not there:
            raise UserError(f'{name}: no name on the Hugging Face Hub; write hf:OWNER/NAME')
        return download(there['repository'], NAME, there['revision'])
    here = local_path(name)
    if here.is_dir():
        if not (here / NAME).is_file():
            raise UserError(
                f'{here}: neither {NAME} nor checkpoints in it; '
                f'name a folder of cosegnet export or of cosegnet train'
            )
        return here / NAME
    if not here.exists():
        raise UserError(f'{name}: no such file or folder; a network on the Hugging Face Hub is hf:OWNER/NAME')
    return here
