"""What training carries from step to step."""

from __future__ import annotations

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
from cosegnet_jax.runtime.errors import UserError

_NOISE = 0.2  # share of He normal noise in the identity that a decoder may begin with


class State(NamedTuple):
    """Parameters and optimizer state after `step` updates."""

    step: Int[Array, '']
    params: Any  # nested dict of float32 arrays, such as params['decoder']['layers']['cT9']['kernel']
    optimizer: optax.OptState
    average: Any = None  # of the parameters, under config.optimizer.average: what is scored and given away


def scored(state: State) -> Any:
    """The parameters that a run is judged by: their average, if there is one."""
    return state.params if state.average is None else state.average


def moved_average(average: Any, params: Any, step: Int[Array, ''], decay: float) -> Any:
    """The exponential moving average of the parameters after `step` updates; short at first.

    Until the `decay` fits into them, it is over about a tenth of the steps so far.
    """
    share = 1 - jnp.minimum(decay, step / (step + 9))
    # As a difference, so that what is frozen stays as it is, to the last bit.
    return jax.tree.map(lambda old, new: old + share * (new - old), average, params)


def random_params(config: Model, seed: int) -> Any:
    """Weights before the first step: He normal kernels and zero biases, drawn from `seed`.

    Under `config.decoder_start` 'identity' the decoder's layers of as many channels in as out begin as the
    identity with a little of that noise. Thirteen layers of noise alone make the averages of all images
    alike, and what the encoder knows of their classes has to be learned anew at the tap.
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
    """Shapes, types and places of the weights, without their numbers."""
    return _placed(jax.eval_shape(lambda: random_params(config, 0)), mesh)


def restart_optimizer(current: State, optimizer: optax.GradientTransformation, mesh: Mesh) -> State:
    """The state with moments begun anew.

    The moments of frozen weights are zero. Adam would take them for well known, divide by far too little, and
    begin with steps that are several times too long.
    """
    begin = jax.jit(optimizer.init, out_shardings=meshes.replicated(mesh))
    return current._replace(optimizer=begin(current.params))


def random(config: Config, optimizer: optax.GradientTransformation, mesh: Mesh) -> State:
    """The state before the first step with random weights, born on every device of `mesh`."""

    def make() -> State:
        params = random_params(config.model, config.seed)
        average = params if config.optimizer.average else None
        return State(jnp.zeros((), jnp.int32), params, optimizer.init(params), average)

    return jax.jit(make, out_shardings=meshes.replicated(mesh))()


def abstract(config: Config, optimizer: optax.GradientTransformation, mesh: Mesh) -> State:
    """Shapes, types and places of the state, without its numbers."""
    return _placed(jax.eval_shape(lambda: random(config, optimizer, mesh)), mesh)


def _placed(tree: Any, mesh: Mesh) -> Any:
    place = meshes.replicated(mesh)
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=place), tree)


def read_encoder(config: Model) -> Any:
    """The encoder's weights that `config.weights` asks for, or None where it starts at random.

    `config.feature_scale` multiplies kernel and bias of VGG16's last layer, and so f, since ReLU and
    max-pooling keep a positive factor. ImageNet's f is so large that He-normal layers make of it embeddings
    to which the margin of 1 in equation 3 is nothing.

    Raises:
        UserError: The weights cannot be read, or do not fit the width.
    """
    if config.weights == 'none':
        return None
    if config.width != 1:
        raise UserError(
            f'config.model.weights={config.weights}: published weights fit config.model.width=1, '
            f'not {config.width:g}; use config.model.weights=none'
        )
    layers = weights.load(config.encoder, config.weights)
    if config.feature_scale != 1:
        last = find_encoder(config.encoder).blocks[-1][-1]
        layers[last] = {name: config.feature_scale * values for name, values in layers[last].items()}
    return {'layers': layers}


def initial(config: Config, encoder: Any, optimizer: optax.GradientTransformation, mesh: Mesh) -> State:
    """The state before the first step: `encoder` (fidelity row 7), if there is one, the rest random."""
    state = random(config, optimizer, mesh)
    if encoder is None:
        return state
    params = state.params | {'encoder': jax.device_put(encoder, meshes.replicated(mesh))}
    # A copy, since the step gives away the buffers of both.
    average = None if state.average is None else jax.tree.map(jnp.copy, params)
    return state._replace(params=params, average=average)
