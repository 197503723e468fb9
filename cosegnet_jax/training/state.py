"""The state of training: parameters, optimizer, and average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.sharding import Mesh
from jaxtyping import Array, Float, Int

from cosegnet_jax import networks, weights
from cosegnet_jax.config import Config, Model
from cosegnet_jax.networks.encoders import find_encoder
from cosegnet_jax.runtime import mesh as meshes

_NOISE = 0.2  # share of He normal noise in the identity that a decoder may begin with


class State(NamedTuple):
    """Parameters and optimizer state after `step` updates."""

    step: Int[Array, '']
    params: Any  # nested dict of float32 arrays, such as params['decoder']['layers']['cT9']['kernel']
    optimizer: optax.OptState
    average: Any = None  # of the parameters, under config.optimizer.average; it is scored and exported


class Beginning(NamedTuple):
    """What a network knows before the first step."""

    params: dict[str, Any]  # parts of `State.params`, such as 'encoder'; the other parts start at random
    dataset: str = ''  # that they were trained on, where a whole network is known
    photos: Sequence[str] = ()  # thumbnails of the photos that it was trained on, as far as known


def scored(state: State) -> Any:
    """Return the parameters to score: their average, if there is one."""
    return state.params if state.average is None else state.average


def moved_average(average: Any, params: Any, step: Int[Array, ''], decay: float) -> Any:
    """Update the exponential moving average of the parameters after `step` updates.

    At first it spans about a tenth of the steps so far, later as many as `decay` says.
    """
    share = 1 - jnp.minimum(decay, step / (step + 9))
    # As a difference, so that frozen parameters do not change in their last bits.
    return jax.tree.map(lambda old, new: old + share * (new - old), average, params)


def random_params(config: Model, seed: int) -> Any:
    """Draw the weights before the first step from `seed`: He normal kernels and zero biases.

    Under `config.decoder_start` 'identity', decoder layers with as many channels in as out start as the
    identity plus a little He normal noise. After thirteen layers of noise alone, the averages of all images
    are alike, and the tap has to learn again what the encoder knows of their classes.
    """
    params = nnx.to_pure_dict(nnx.state(networks.build(config, seed), nnx.Param))
    if config.decoder_start == 'identity':
        layers = params['decoder']['layers']
        layers |= {
            name: {**layer, 'kernel': _near_identity(layer['kernel'])} for name, layer in layers.items()
        }
    return params


def _near_identity(kernel: Float[Array, '3 3 cin cout']) -> Float[Array, '3 3 cin cout']:
    cin, cout = kernel.shape[2:]
    return (_NOISE * kernel).at[1, 1].add(jnp.eye(cin)) if cin == cout else kernel


def abstract_params(config: Model, mesh: Mesh) -> Any:
    """Return shapes, types and shardings of the weights, without their numbers."""
    return _placed(jax.eval_shape(lambda: random_params(config, 0)), mesh)


def restart_optimizer(current: State, optimizer: optax.GradientTransformation, mesh: Mesh) -> State:
    """The state with moments begun anew.

    The moments of frozen weights are zero. Adam would take them for well known, divide by far too little, and
    begin with steps that are several times too long.
    """
    begin = jax.jit(optimizer.init, out_shardings=meshes.replicated(mesh))
    return current._replace(optimizer=begin(current.params))


def with_part(current: State, part: dict[str, Any]) -> State:
    """The state with a part of the parameters replaced, in their average, too."""
    average = None if current.average is None else current.average | jax.tree.map(jnp.copy, part)
    return current._replace(params=current.params | part, average=average)


def random(config: Config, optimizer: optax.GradientTransformation, mesh: Mesh) -> State:
    """Make the state before the first step with random weights, on every device of `mesh`."""

    def make() -> State:
        params = random_params(config.model, config.seed)
        average = params if config.optimizer.average else None
        return State(jnp.zeros((), jnp.int32), params, optimizer.init(params), average)

    return jax.jit(make, out_shardings=meshes.replicated(mesh))()


def abstract(config: Config, optimizer: optax.GradientTransformation, mesh: Mesh) -> State:
    """Return shapes, types and shardings of the state, without its numbers."""
    return _placed(jax.eval_shape(lambda: random(config, optimizer, mesh)), mesh)


def _placed(tree: Any, mesh: Mesh) -> Any:
    place = meshes.replicated(mesh)
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=place), tree)


def read_encoder(config: Model) -> Any:
    """Read the encoder's weights that `config.weights` asks for; None where it starts at random.

    `config.feature_scale` multiplies kernel and bias of VGG16's last layer, and so f, since ReLU and
    max-pooling keep a positive factor. With ImageNet weights f is so large that the embeddings of He normal
    layers are far apart, and the margin of 1 in equation 3 has no effect.

    Raises:
        UserError: The weights cannot be read.
    """
    if config.weights == 'none':
        return None
    layers = weights.load(config.encoder, config.weights)
    if config.feature_scale != 1:
        last = find_encoder(config.encoder).blocks[-1][-1]
        layers[last] = {name: config.feature_scale * values for name, values in layers[last].items()}
    return {'layers': layers}


def published(config: Config, mesh: Mesh) -> Beginning:
    """Read the published weights of the encoder (fidelity row 7), or nothing if there are none.

    Raises:
        UserError: As of `read_encoder`.
    """
    encoder = read_encoder(config.model)
    return Beginning({} if encoder is None else {'encoder': encoder})


def initial(
    config: Config, known: Mapping[str, Any], optimizer: optax.GradientTransformation, mesh: Mesh
) -> State:
    """Make the state before the first step: the parts that are known, such as 'encoder', the rest random."""
    state = random(config, optimizer, mesh)
    if not known:
        return state
    params = state.params | jax.device_put(dict(known), meshes.replicated(mesh))
    # A copy, since the step donates the buffers of both.
    average = None if state.average is None else jax.tree.map(jnp.copy, params)
    return state._replace(params=params, average=average)
