"""Time layers by kind in each form in which they can be computed, forward and backward.

python benchmarks/layer_forms.py --config=pascal_voc [--config.key=value …] [--blocks=5] [--table]

Prints a line of JSON for each form of convolutions, poolings and enlarging convolutions of `cosegnet`, and of
depthwise convolutions of `pyramid`. With --topology=v5e:1x1 it compiles the enlarging or the depthwise ones
for TPUs that need not be there, and times nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags
from jax.sharding import Mesh
from jaxtyping import Array, Float

from cosegnet_jax import data
from cosegnet_jax.benchmark import compilation, table, timing
from cosegnet_jax.benchmark.row import Row, about
from cosegnet_jax.cli import command_line
from cosegnet_jax.config import Config
from cosegnet_jax.networks import plain
from cosegnet_jax.networks.decoder import CHANNELS, UPSAMPLED
from cosegnet_jax.networks.encoders import efficientnet_lite
from cosegnet_jax.networks.encoders.vgg16 import BLOCKS, STRIDE
from cosegnet_jax.networks.layers import scaled
from cosegnet_jax.ops import convolution, depthwise, pooling, resizing
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError

Form = Callable[..., Array]  # of a layer, with the activation that follows it
Shapes = tuple[tuple[int, ...], ...]  # of the output of a layer, and of its input, kernel and bias, if any


_BLOCKS = flags.DEFINE_integer('blocks', 5, 'Timed blocks, of which the median counts.', lower_bound=1)
_REPEATS = flags.DEFINE_integer('repeats', 1, 'Steps of a block.', lower_bound=1)
_TABLE = flags.DEFINE_bool('table', False, 'Print a Markdown table.')
_TOPOLOGY = flags.DEFINE_string('topology', None, 'TPU slice to compile for, such as v5e:1x1.')


def main() -> None:
    """Prints lines of JSON, or a table."""
    config = command_line.config()
    if config.model.name not in KINDS:
        known = ' and '.join(KINDS)
        raise UserError(
            f'config.model.name={config.model.name}: these are layers of {known}; use one of them'
        )
    if _TOPOLOGY.value:
        rows = compiled(config, compilation.described_mesh(_TOPOLOGY.value))
    else:
        rows = measure(config, _BLOCKS.value, _REPEATS.value)
    table.write(rows, as_table=_TABLE.value)


def measure(config: Config, blocks: int, repeats: int) -> Iterator[Row]:
    """Seconds of all layers of a kind in each of its forms: a row for each.

    For one device, and as many maps as it has images in a train step. The network computes the form 'used'.
    Every layer's gradients are all computed: training does without the one of conv1_1's photos.

    Raises:
        UserError: The devices cannot share the batch evenly.
    """
    mesh, images = of_one_device(config, meshes.data_mesh())
    rng = np.random.default_rng(0)
    for kind, (shapes, forms) in KINDS[config.model.name].items():
        layers = [
            [jnp.asarray(rng.standard_normal(shape, np.float32), config.model.dtype) for shape in layer]
            for layer in shapes(config, images)
        ]
        for name, form in forms.items():
            run = partial(jax.jit(differentiated(form)), layers)
            jax.block_until_ready(run())
            seconds = timing.median_seconds(run, blocks, repeats)
            yield {**about(config, mesh), 'kind': kind, 'form': name, 'images': images, 's_per_step': seconds}


def compiled(config: Config, mesh: Mesh) -> Iterator[Row]:
    """Layers whose form depends on the device, forward and backward, in each of their forms.

    These are the decoder's enlarging layers with ReLU, or the encoder's depthwise ones with ReLU6.
    For one device of the mesh, and as many maps as it has images in a train step.
    """
    mesh, images = of_one_device(config, mesh)
    place, dtype = meshes.replicated(mesh), jnp.dtype(config.model.dtype)
    shapes = [
        tuple(jax.ShapeDtypeStruct(shape, dtype, sharding=place) for shape in layer)
        for layer in COMPILED[config.model.name][0](config, images)
    ]
    for name, form in COMPILED[config.model.name][1].items():
        program = jax.jit(differentiated(form)).lower(shapes).compile()
        on = compilation.about_with_memory(config, mesh)
        yield {**on, 'form': name, 'images': images, **compilation.estimates(program)}


def of_one_device(config: Config, mesh: Mesh) -> tuple[Mesh, int]:
    """The first device of a mesh, and how many images it has in a train step.

    Raises:
        UserError: The devices cannot share the batch evenly.
    """
    groups, members = data.check_batch(config, mesh)
    return meshes.data_mesh(mesh.devices[:1]), groups * members // mesh.size


def differentiated(form: Form) -> Callable[[Any], Any]:
    """A function of what `Shapes` describes, of many layers, to their outputs and gradients."""

    def differentiate(dy: Array, *given: Array) -> Any:
        y, backward = jax.vjp(form, *given)
        return y, backward(dy)

    return lambda layers: [differentiate(*layer) for layer in layers]


def enlarging(config: Config, images: int) -> Iterator[Shapes]:
    """The decoder's convolutions of enlarged maps."""
    side, cin = config.image_size // STRIDE, scaled(512, config.model.width)
    for number, channels in enumerate(CHANNELS, 1):
        cout = scaled(channels, config.model.width)
        if number in UPSAMPLED:
            small, side = side, 2 * side
            yield (images, side, side, cout), (images, small, small, cin), (3, 3, cin, cout), (cout,)
        cin = cout


def depthwise_layers(config: Config, images: int) -> Iterator[Shapes]:
    """The encoder's depthwise convolutions of stride 1, which are nearly all of them."""
    side = config.image_size // 2
    for block in efficientnet_lite.blocks(int(config.model.encoder[-1])):
        side //= block.stride
        hidden = scaled(block.cin, config.model.width) * (block.hidden // block.cin)
        if block.stride == 1:
            maps = (images, side, side, hidden)
            yield maps, maps, (block.size, block.size, hidden)


def _convolutions(config: Config, images: int) -> Iterator[Shapes]:
    """The encoder's."""
    side, cin = config.image_size, 3
    for block in BLOCKS:
        for _, channels in block:
            cout = scaled(channels, config.model.width)
            yield (images, side, side, cout), (images, side, side, cin), (3, 3, cin, cout), (cout,)
            cin = cout
        side //= 2


def _poolings(config: Config, images: int) -> Iterator[Shapes]:
    side = config.image_size
    for block in BLOCKS:
        channels = scaled(block[-1][1], config.model.width)
        yield (images, side // 2, side // 2, channels), (images, side, side, channels)
        side //= 2


def _enlarged(
    x: Float[Array, 'n h w cin'], kernel: Float[Array, '3 3 cin cout'], bias: Float[Array, ' cout']
) -> Float[Array, 'n 2*h 2*w cout']:
    """`convolution.upsample_conv3x3` as the paper draws it, on a map that is made."""
    return convolution.conv3x3(resizing.enlarge(x, 2), kernel, bias)


def _with_relu(layer: Form) -> Form:
    return lambda *given: jax.nn.relu(layer(*given))


ENLARGING: dict[str, Form] = {
    'phases': _with_relu(convolution.upsample_conv3x3_by_phases),
    'transposed': _with_relu(convolution.upsample_conv3x3_transposed),
    'enlarged': _with_relu(_enlarged),
}
DEPTHWISE: dict[str, Form] = {
    'shifted': lambda x, kernel: jax.nn.relu6(depthwise.shifted(x, kernel, 1)),
    'plain': lambda x, kernel: jax.nn.relu6(depthwise.plain(x, kernel, 1)),
}
Kinds = dict[str, tuple[Callable[[Config, int], Iterator[Shapes]], dict[str, Form]]]
_OF_COSEGNET: Kinds = {
    'convolution': (
        _convolutions,
        {'used': _with_relu(convolution.conv3x3), 'plain': _with_relu(plain.convolve)},
    ),
    'pooling': (
        _poolings,
        {'used': pooling.max_pool, 'remembering': pooling.remembering, 'plain': pooling.plain},
    ),
    'enlarging': (enlarging, {'used': _with_relu(convolution.upsample_conv3x3), **ENLARGING}),
}
_OF_PYRAMID: Kinds = {
    'depthwise': (
        depthwise_layers,
        {'used': lambda x, kernel: jax.nn.relu6(depthwise.convolve(x, kernel, 1)), **DEPTHWISE},
    ),
}
KINDS: dict[str, Kinds] = {'cosegnet': _OF_COSEGNET, 'pyramid': _OF_PYRAMID}
COMPILED = {'cosegnet': (enlarging, ENLARGING), 'pyramid': (depthwise_layers, DEPTHWISE)}


if __name__ == '__main__':
    command_line.start(main)
