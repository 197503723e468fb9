"""Compiled train steps and descriptions: memory, collectives, operations, bytes; also for absent TPUs."""

from __future__ import annotations

import collections
import math
import os
import re
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from flax import nnx
from jax.experimental import topologies
from jax.sharding import Mesh

from cosegnet_jax import data, networks
from cosegnet_jax.benchmark import counting
from cosegnet_jax.benchmark.row import Row, about
from cosegnet_jax.config import Config
from cosegnet_jax.data.batches import Batch
from cosegnet_jax.losses.objectives import find_objective
from cosegnet_jax.networks.image_network import masks_and_embeddings
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError, first_line
from cosegnet_jax.training import optimizer, state, step

# Memory of a chip, from docs.cloud.google.com/tpu/docs/v5e and …/v5p; of the 16 a program may have 15.75.
HBM_GIB = {'TPU v5 lite': 16, 'TPU v5': 95}

# Without the first two libtpu complains, where there is no TPU, of hosts that it cannot find; without the
# third one process alone may have it, as if it were to run on a TPU.
_NO_TPU = {
    'TPU_WORKER_HOSTNAMES': 'localhost',
    'TPU_ACCELERATOR_TYPE': 'v5litepod-4',
    'ALLOW_MULTIPLE_LIBTPU_LOAD': '1',
}

_KINDS = 'all-reduce|all-gather|reduce-scatter|all-to-all|collective-permute'
# The type of the result and the kind; of an asynchronous pair, the second instruction has the result.
_COLLECTIVE = re.compile(rf'^\s*(?:ROOT )?%?\S+ = ([^=]*?) ({_KINDS})(?:-done)?\(', re.MULTILINE)
_ARRAY = re.compile(r'\b(?:pred|[a-z]+(\d+)\w*)\[([\d,]*)\]')


def present(config: Config, blocks: int, repeats: int) -> Iterator[Row]:
    """Compile the train step for the devices of this run."""
    del blocks, repeats  # compiled once
    yield compile_step(config, meshes.data_mesh())


def present_describing(config: Config, blocks: int, repeats: int) -> Iterator[Row]:
    """Compile the description of images for the devices of this run."""
    del blocks, repeats
    yield compile_describing(config, meshes.data_mesh())


def ahead(config: Config, mode: str, topology: str) -> Iterator[Row]:
    """Compile a program for TPUs that need not be present.

    Args:
        config: The network and its batch.
        mode: Which program, a key of `AHEAD`.
        topology: Kind and shape of a slice, such as 'v5e:2x2' or 'v5p:4x4x4'.

    Raises:
        UserError: There is no such slice or no TPU compiler, or its chips cannot share or hold the batch.
    """
    yield AHEAD[mode](config, described_mesh(topology))


def compile_step(config: Config, mesh: Mesh) -> Row:
    """Compile the train step, for batches from the host, from shapes alone.

    All values but `images` are of one device. `model_flops` and `needed_flops` come from `counting`; `flops`,
    `bytes` and, on TPUs, `cycles` are estimates of the compiler.

    Raises:
        UserError: The devices cannot share the batch evenly, or cannot hold it.
    """
    groups, members = data.check_batch(config, mesh)
    images, masks = groups * members, groups * find_objective(config.model).decoded(config, members)
    update = optimizer.build(config, config.train.steps)
    start = time.perf_counter()
    run_step = step.make_step(config, update, mesh, lambda on_device, per_step: per_step)
    lowered = run_step.lower(state.abstract(config, update, mesh), (), _batch(config, groups, members, mesh))
    lower_s = time.perf_counter() - start
    compiled = _compile(lowered, images / mesh.size, 'config.train')
    compile_s = time.perf_counter() - start - lower_s
    drawn, needed = (
        counting.train_step(counting.count(config.model, config.image_size, as_drawn=drawn), images, masks)
        for drawn in (True, False)
    )
    return {
        **about_with_memory(config, mesh),
        'images': images,
        'images_per_device': images / mesh.size,
        **estimates(compiled),
        'model_flops': drawn / mesh.size,
        'needed_flops': needed / mesh.size,
        **collectives(compiled.as_text()),
        'lower_s': lower_s,
        'compile_s': compile_s,
    }


def compile_describing(config: Config, mesh: Mesh) -> Row:
    """Compile the masks and embeddings of `config.evaluation.batch_images` images, as prediction makes them.

    The figures are those of one device, as in `compile_step`; `images` counts those of all devices.

    Raises:
        UserError: The devices cannot share the images evenly or hold them, or the network looks at pairs.
    """
    if networks.NETWORKS[config.model.name].of_pairs:
        raise UserError(
            f'config.model.name={config.model.name}: makes masks of pairs; use one that looks once'
        )
    images = config.evaluation.batch_images
    meshes.check_divides(mesh, images, 'config.evaluation.batch_images')
    graph, side = networks.graph(config.model), config.scored_size
    pixels = jax.ShapeDtypeStruct((images, side, side, 3), np.uint8, sharding=meshes.batched(mesh))
    describe = jax.jit(lambda params, pixels: masks_and_embeddings(nnx.merge(graph, params), pixels))
    lowered = describe.lower(state.abstract_params(config.model, mesh), pixels)
    compiled = _compile(lowered, images / mesh.size, 'config.evaluation.batch_images')
    return {
        **about_with_memory(config, mesh),
        'size': side,
        'images': images,
        'images_per_device': images / mesh.size,
        **estimates(compiled),
        **collectives(compiled.as_text()),
    }


AHEAD = {'compile': compile_step, 'compile_eval': compile_describing}


def _compile(lowered: Any, images: float, key: str) -> Any:
    try:
        return lowered.compile()
    except jax.errors.JaxRuntimeError as error:
        if 'RESOURCE_EXHAUSTED' not in str(error):
            raise
        raise UserError(
            f'{images:g} images a device do not fit; use fewer a batch ({key}), '
            f'or more devices: {first_line(error)}'
        ) from error


def collectives(hlo: str) -> Row:
    """Count the collectives of a compiled program, and MiB of their results, such as `all_reduce_count`."""
    count, size = collections.Counter(), collections.defaultdict(float)
    # Long tuples are numbered in comments, whose equals signs would hide the instruction.
    for result, kind in _COLLECTIVE.findall(re.sub(r'/\*.*?\*/', '', hlo)):
        name = kind.replace('-', '_')
        count[f'{name}_count'] += 1
        for bits, shape in _ARRAY.findall(result):
            elements = math.prod(int(side) for side in shape.split(',') if side)
            size[f'{name}_mib'] += elements * int(bits or 8) / 8 / 2**20  # a truth value takes a byte
    return {**count, **size}


def described_mesh(topology: str) -> Mesh:
    """Make the mesh over a slice of TPUs that are described, not present.

    Raises:
        UserError: There is no such slice or no TPU compiler.
    """
    jax.config.update('jax_platforms', 'cpu')  # where libtpu is installed, JAX would look for its TPU
    for name, value in _NO_TPU.items():
        os.environ.setdefault(name, value)
    # A host has 2×2 chips unless told otherwise, which one chip is not.
    host = {'chips_per_host_bounds': (1, 1, 1)} if re.fullmatch(r'\w+:1(x1)+', topology) else {}
    try:
        devices = topologies.get_topology_desc(topology, 'tpu', **host).devices
    except jax.errors.JaxRuntimeError as error:
        if 'INVALID_ARGUMENT' not in str(error):
            raise
        raise UserError(
            f'--topology={topology}: no such slice of TPUs, try v5e:2x2: {first_line(error)}'
        ) from error
    except RuntimeError as error:  # the compiler is not installed
        raise UserError(
            f"--topology={topology} needs libtpu; pip install -e '.[tpu]' in an environment of its own, "
            'for JAX then looks for a TPU whenever it starts'
        ) from error
    return meshes.data_mesh(devices)


def _batch(config: Config, groups: int, members: int, mesh: Mesh) -> Batch:
    """Describe a batch of images of one object each."""

    def rows(dtype: Any, *shape: int) -> Any:
        return jax.ShapeDtypeStruct((groups, members, *shape), dtype, sharding=meshes.batched(mesh))

    side = config.image_size
    return Batch(
        images=rows(np.uint8, side, side, 3),
        masks=rows(np.uint8, side, side),
        labels=rows(np.int32, 1),
        numbers=rows(np.int32),
    )


def about_with_memory(config: Config, mesh: Mesh) -> Row:
    """Return `about`, with the memory of a TPU."""
    row = about(config, mesh)
    return row | ({'hbm_gib': HBM_GIB[row['device']]} if row['device'] in HBM_GIB else {})


def estimates(compiled: Any) -> Row:
    """Return the compiler's plan and estimates for each device."""
    memory, cost = compiled.memory_analysis(), compiled.cost_analysis()
    arguments, temporaries = memory.argument_size_in_bytes, memory.temp_size_in_bytes
    outputs = memory.output_size_in_bytes - memory.alias_size_in_bytes  # the state takes the place of the old
    # Of few instructions it knows none, and writes the largest number of 64 bits.
    cycles = [int(some) for some in re.findall(r'"estimated_cycles":"(\d{1,18})"', compiled.as_text())]
    return {
        'arguments_gib': arguments / 2**30,
        'temporaries_gib': temporaries / 2**30,
        'memory_gib': (arguments + temporaries + outputs) / 2**30,
        'flops': cost['flops'],
        'bytes': cost['bytes accessed'],
        **({'cycles': sum(cycles)} if cycles else {}),
    }
