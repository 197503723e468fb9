"""A run that starts from a trained network, as `config.model.weights` names it."""

from __future__ import annotations

from pathlib import Path

from jax.sharding import Mesh

from cosegnet_jax.config import Config, Model
from cosegnet_jax.export import model_file, pretrained, shipped_network
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path
from cosegnet_jax.training import checkpoints, state
from cosegnet_jax.training.state import Beginning

_SAME = ('name', 'encoder', 'tap', 'width')  # keys of `config.model` that decide which parameters there are
_UNREAD = ('feature_scale', 'decoder_start')  # those that say how untrained parts start
_SPLIT = ('seed', 'data.split', 'data.split_file')


def begin(config: Config, mesh: Mesh) -> Beginning:
    """What a new run starts from: all parts of a trained network, or published weights of the encoder.

    Args:
        config: Its `model.weights` is what `pretrained.load` takes, 'imagenet', 'none' or a file of
            published weights; the content of a file tells which.
        mesh: Devices that each get all parameters.

    Raises:
        UserError: It cannot be read; it is another network than `config` describes; or it was trained on
            another split of the same set, so that it has seen photos of the test part.
    """
    name = config.model.weights
    if not _is_network(name):
        return state.published(config, mesh)
    network = pretrained.load(name, mesh)
    _check_fits(network.config.model, config.model)
    _check_split(network, config)
    run = pretrained.run_folder(name)
    photos = checkpoints.load_trained_on(run, network.step).trained if run else ()
    return Beginning(network.params, network.dataset, photos)


def _is_network(name: str) -> bool:
    if name in ('imagenet', 'none'):
        return False
    if name == shipped_network.WORD or name.startswith(pretrained.HUB):
        return True
    path = local_path(name, 'config.model.weights=')
    return path.is_dir() or model_file.is_one(path)


def _check_fits(theirs: Model, ours: Model) -> None:
    for key in _SAME:
        if getattr(theirs, key) != getattr(ours, key):
            raise UserError(
                f'config.model.weights={ours.weights}: is a network of config.model.{key}='
                f'{getattr(theirs, key)}, not {getattr(ours, key)}; set that key to {getattr(theirs, key)}'
            )
    for key in _UNREAD:
        if getattr(ours, key) != getattr(Model(), key):
            raise UserError(
                f'config.model.{key}={getattr(ours, key)}: nothing reads it where config.model.weights is a '
                f'trained network; leave it at {getattr(Model(), key)}'
            )


def _check_split(network: TrainedNetwork, config: Config) -> None:
    if network.dataset != config.data.name:
        return
    theirs, ours = (_split(one) for one in (network.config, config))
    for key in _SPLIT:
        if theirs[key] != ours[key]:
            raise UserError(
                f'config.{key}={ours[key]}: config.model.weights={config.model.weights} was trained on '
                f'{network.dataset} with {theirs[key]}, and has seen photos of your test part; set that '
                f'key to {theirs[key]}'
            )


def _split(config: Config) -> dict[str, str]:
    data = config.data
    values = (config.seed, data.split, Path(data.split_file).name)  # of files, exported networks say the name
    return dict(zip(_SPLIT, map(str, values), strict=True))
