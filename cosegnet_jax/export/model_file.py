"""A trained network as one safetensors file, which is all that it takes to use it.

Parameters are filed under their place in the network, such as encoder.layers.conv1_1.kernel, as float32 or
float16. The metadata has one entry, `cosegnet_jax`, in JSON: format, version of this program, step, data set,
number of training images, and config. Names of photos and folders do not leave the machine that trained.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np
from jax.sharding import Mesh
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from cosegnet_jax import __version__, networks
from cosegnet_jax.config import Config, Model, restore
from cosegnet_jax.networks.image_network import ImageNetwork
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.runtime.errors import UserError, first_line
from cosegnet_jax.training.state import abstract_params

NAME = 'model.safetensors'  # in an exported folder
FORMAT = 1  # of the metadata, and of the names
_ENTRY = 'cosegnet_jax'
_CHECKSUM = 'sha256'  # key of the metadata
_TYPES = ('F32', 'F16')  # of `Stored`, as safetensors calls them

Stored = Literal['float32', 'float16']


def release(network: TrainedNetwork) -> TrainedNetwork:
    """The same network without what tells of the machine that trained it: files by their last names alone."""
    config = network.config
    data = {key: Path(getattr(config.data, key)).name for key in ('root', 'prepared_dir', 'split_file')}
    config = dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, **data),
        model=dataclasses.replace(config.model, weights=Path(config.model.weights).name),
    )
    return dataclasses.replace(network, config=config)


def wrong_kind(config: Model, path: Path) -> UserError:
    """Make the error for a network whose masks depend on the pair, which `path` holds."""
    return UserError(
        f'{path}: a network of config.model.name={config.name}, whose masks depend on the pair; '
        f'name one of cosegnet'
    )


def named(params: Any) -> dict[str, Any]:
    """Parameters by their names in a file."""
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return {jax.tree_util.keystr(path, simple=True, separator='.'): leaf for path, leaf in leaves}


def write(path: Path, network: TrainedNetwork, dtype: Stored) -> None:
    """Write a network with its parameters rounded to `dtype`.

    Raises:
        UserError: A parameter is no finite number in that type.
    """
    with np.errstate(over='ignore'):  # what overflows is refused below
        arrays = {name: np.asarray(leaf).astype(dtype) for name, leaf in named(network.params).items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise UserError(
                f'step {network.step}: has values in {name} that are no finite {dtype} numbers; '
                f'export another step{", or leave --half out" * (dtype == "float16")}'
            )
    about = {'format': FORMAT, 'version': __version__, 'step': network.step}
    about |= {'config': dataclasses.asdict(network.config)}
    about |= {'dataset': network.dataset, 'images': network.images}
    about[_CHECKSUM] = _checksum(about, arrays)
    # Not `save_file`, whose files nobody but their owner can read.
    path.write_bytes(save(arrays, {_ENTRY: json.dumps(about)}))


def read(path: Path, mesh: Mesh) -> ImageNetwork:
    """Read what `write` wrote; parameters are float32.

    Args:
        path: The file.
        mesh: Devices that each get all parameters.

    Raises:
        UserError: It is damaged, of another format or kind of network, or not of this program.
    """
    try:
        path.open('rb').close()  # safetensors says of every file that it cannot open that there is none
        with safe_open(path, framework='np') as file:
            about = _about(file.metadata(), path)
            expected = abstract_params(about['config'].model, mesh)
            if problem := _difference(file, named(expected)):
                raise UserError(f'{path}: {problem}, unlike the network of its config; get it again')
            arrays = {name: file.get_tensor(name) for name in named(expected)}
            _check_sum(json.loads(file.metadata()[_ENTRY]), arrays, path)
    except OSError as error:
        reason = error.strerror or first_line(error)
        raise UserError(f'{path}: cannot be read ({reason}); give a file that can be') from error
    except SafetensorError as error:
        raise UserError(f'{path}: cannot be read ({first_line(error)}); get it again') from error
    leaves = [array.astype(np.float32) for array in arrays.values()]
    params = jax.tree.unflatten(jax.tree.structure(expected), leaves)
    params = jax.tree.map(lambda array, like: jax.device_put(array, like.sharding), params, expected)
    network = networks.trained(params=params, mesh=mesh, **about)
    assert isinstance(network, ImageNetwork)  # as `_about` knows
    return network


def read_config(path: Path) -> Config:
    """The config that the network of a file was trained with.

    Raises:
        UserError: As of `read`.
    """
    try:
        with safe_open(path, framework='np') as file:
            return _about(file.metadata(), path)['config']
    except (OSError, SafetensorError) as error:
        raise UserError(f'{path}: cannot be read ({first_line(error)}); get it again') from error


def is_one(path: Path) -> bool:
    """Tell model files from other files, such as published weights of an encoder."""
    try:
        with safe_open(path, framework='np') as file:
            return _ENTRY in (file.metadata() or {})
    except (OSError, SafetensorError):
        return False


def _about(metadata: dict[str, str] | None, path: Path) -> dict[str, Any]:
    """The fields of `TrainedNetwork` but its parameters and devices."""
    if not metadata or _ENTRY not in metadata:
        raise UserError(f'{path}: not a model of cosegnet_jax; such files are written by cosegnet export')
    try:
        about = json.loads(metadata[_ENTRY])
        form, version, config = about['format'], about['version'], dict(about['config'])
        step, dataset, images = int(about['step']), str(about['dataset']), int(about['images'])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f'{path}: its description is damaged ({first_line(error)}); get it again') from error
    if form != FORMAT:
        raise UserError(
            f'{path}: of format {form}, and this program reads format {FORMAT}; '
            f'use cosegnet_jax {version}, which wrote it'
        )
    try:
        config = restore(config)
    except UserError as error:
        raise UserError(f'{path}: written by another version, cosegnet_jax {version} ({error})') from error
    if networks.NETWORKS[config.model.name].of_pairs:
        raise wrong_kind(config.model, path)
    return {'step': step, 'config': config, 'dataset': dataset, 'images': images}


def _checksum(about: dict[str, Any], arrays: dict[str, np.ndarray]) -> str:
    """Of all that a file says: a bit that was lost on the way would be another network."""
    told = {key: value for key, value in about.items() if key != _CHECKSUM}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f'{name} {array.dtype} {array.shape}'.encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _check_sum(about: dict[str, Any], arrays: dict[str, np.ndarray], path: Path) -> None:
    """Refuse a file that is not what was written."""
    if about.get(_CHECKSUM) != _checksum(about, arrays):
        raise UserError(f'{path}: damaged (its checksum is of other content); get it again')


def _difference(file: Any, expected: dict[str, jax.ShapeDtypeStruct]) -> str | None:
    """How the parameters of an open file differ from a network's, in words; None where they do not."""
    found = set(file.keys())
    for name, leaf in expected.items():
        if name not in found:
            return f"has no '{name}'"
        stored = file.get_slice(name)
        if tuple(stored.get_shape()) != leaf.shape:
            return f"has '{name}' of shape {tuple(stored.get_shape())} instead of {leaf.shape}"
        if stored.get_dtype() not in _TYPES:
            return f"has '{name}' of type {stored.get_dtype()} instead of {' or '.join(_TYPES)}"
    if further := found - expected.keys():
        return f"has '{min(further)}' too"
    return None
