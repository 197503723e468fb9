"""A trained network: parameters on devices, and where they came from."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from flax import nnx
from jax.sharding import Mesh

from cosegnet_jax.config import Config
from cosegnet_jax.networks import registry


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network as evaluation, prediction, serving, export and benchmarks use it; from `networks.trained`.

    There are two kinds: `ImageNetwork`, with one mask per image, and `PairNetwork`, whose masks depend on the
    pair.
    """

    config: Config  # of its training
    params: Any = dataclasses.field(repr=False)  # nested dict of float32 arrays, on every device of `mesh`
    mesh: Mesh = dataclasses.field(repr=False)  # the devices
    step: int = 0  # of training
    dataset: str = ''  # of its training
    images: int = 0  # photos of the training part

    @functools.cached_property
    def graph(self) -> nnx.GraphDef:
        """The structure, to merge with parameters inside a jitted function."""
        return registry.graph(self.config.model)

    def with_dtype(self, dtype: str) -> TrainedNetwork:
        """Return the network with convolutions computed in another type: 'float32' or 'bfloat16'."""
        model = dataclasses.replace(self.config.model, dtype=dtype)
        return dataclasses.replace(self, config=dataclasses.replace(self.config, model=model))

    def fingerprint(self) -> str:
        """Compute 16 hexadecimal digits that identify modules, parameters and image size.

        Other settings of the training do not count.
        """
        model = nnx.eval_shape(lambda: registry.build(self.config.model, 0))
        digest = hashlib.sha256(repr((self.config.scored_size, *_modules(model))).encode())
        for place, leaf in jax.tree.leaves_with_path(self.params):
            digest.update(repr((jax.tree_util.keystr(place), leaf.shape)).encode())
            digest.update(np.ascontiguousarray(leaf).data)
        return digest.hexdigest()[:16]


def _modules(model: nnx.Module) -> Iterator[tuple[Any, ...]]:
    """List place, class and settings of each module, in words that are the same in every process."""
    for path, module in nnx.iter_modules(model):
        settings = {
            name: getattr(value, '__qualname__', None) or str(value)
            for name, value in sorted(vars(module).items())
            if not name.startswith('_') and not isinstance(value, nnx.Module | nnx.Variable)
        }
        yield path, type(module).__qualname__, settings
