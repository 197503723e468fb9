"""A network as ONNX, by jax2onnx."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cosegnet_jax.export.exported_functions import functions, merged
from cosegnet_jax.networks import plain
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.runtime.optional_import import optional_import


def converter() -> Callable[..., Any]:
    """`jax2onnx.to_onnx`, without its reports.

    Raises:
        UserError: It is not installed.
    """
    to_onnx = optional_import('jax2onnx', 'onnx').to_onnx
    for name in ('jax2onnx', 'onnx_ir'):  # warn of layers of other libraries, and of every layer here
        logging.getLogger(name).setLevel(logging.ERROR)
    return to_onnx


def write(folder: Path, network: TrainedNetwork, to_onnx: Callable[..., Any]) -> None:
    """Write describe.onnx and decide.onnx, for any number of photos, with all arithmetic in float32.

    The first call of a program takes twenty seconds more, in which jax2onnx loads what it knows.
    """
    module = merged(network.with_dtype('float32'))  # few programs have bfloat16
    plain.use(module)  # ONNX has no forms by device, and jax2onnx does not know the choice
    for function in functions(module, network.config.scored_size):
        with contextlib.redirect_stdout(io.StringIO()):  # some versions print a line for each layer
            converted = to_onnx(
                function.call,
                list(function.inputs.values()),
                model_name=function.name,
                input_names=list(function.inputs),
                output_names=list(function.outputs),
            )
        (folder / f'{function.name}.onnx').write_bytes(converted.SerializeToString())
