"""A network with its parameters on its devices, and where it came from."""

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
    """What evaluation, prediction, serving, export and benchmarks hold; made by `networks.trained`.

    Its kinds are `ImageNetwork`, whose masks are made once an image, and `PairNetwork`, whose masks depend on
    the pair.
    """

    config: Config  # that it was trained with
    params: Any = dataclasses.field(repr=False)  # nested dict of float32 arrays, on every device of `mesh`
    mesh: Mesh = dataclasses.field(repr=False)  # the devices
    step: int = 0  # of training
    dataset: str = ''  # that it was trained on
    images: int = 0  # photos of the training part

    @functools.cached_property
    def graph(self) -> nnx.GraphDef:
        """The structure, to be merged with the parameters inside a jitted function."""
        return registry.graph(self.config.model)

    def with_dtype(self, dtype: str) -> TrainedNetwork:
        """The same parameters, with convolutions computed in another type: 'float32' or 'bfloat16'."""
        model = dataclasses.replace(self.config.model, dtype=dtype)
        return dataclasses.replace(self, config=dataclasses.replace(self.config, model=model))

    def fingerprint(self) -> str:
        """16 hexadecimal digits that say which network this is, wherever it is kept.

        Networks have the same where their modules, parameters and image size are the same. What training
        began with and how long it took does not count.
        """
        model = nnx.eval_shape(lambda: registry.build(self.config.model, 0))
        digest = hashlib.sha256(repr((self.config.scored_size, *_modules(model))).encode())
        for place, leaf in jax.tree.leaves_with_path(self.params):
            digest.update(repr((jax.tree_util.keystr(place), leaf.shape)).encode())
            digest.update(np.ascontiguousarray(leaf).data)
        return digest.hexdigest()[:16]


def _modules(model: nnx.Module) -> Iterator[tuple[Any, ...]]:
    """Place, class and settings of each module of a network, in words that no two processes differ in."""
    for path, module in nnx.iter_modules(model):
        settings = {
            name: getattr(value, '__qualname__', None) or str(value)
            for name, value in sorted(vars(module).items())
            if not name.startswith('_') and not isinstance(value, nnx.Module | nnx.Variable)
        }
        yield path, type(module).__qualname__, settings
