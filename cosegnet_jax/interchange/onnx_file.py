"""A network as ONNX, by jax2onnx."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cosegnet_jax.errors import UserError, first_line
from cosegnet_jax.interchange.functions import functions
from cosegnet_jax.interchange.model_file import Released


def converter() -> Callable[..., Any]:
    """`jax2onnx.to_onnx`, without its reports.

    Raises:
        UserError: It is not installed.
    """
    try:
        from jax2onnx import to_onnx
    except ImportError as error:
        raise UserError("--onnx: takes an extra package; pip install 'cosegnet-jax[onnx]'") from error
    for name in ('jax2onnx', 'onnx_ir'):  # warn of layers of other libraries, and of every layer here
        logging.getLogger(name).setLevel(logging.ERROR)
    return to_onnx


def write(folder: Path, network: Released, to_onnx: Callable[..., Any]) -> None:
    """Writes describe.onnx and decide.onnx, for any number of photos, with all arithmetic in float32.

    The first call of a program takes twenty seconds more, in which jax2onnx loads what it knows.

    Raises:
        UserError: jax2onnx does not know an operation of it.
    """
    model = dataclasses.replace(network.config.model, dtype='float32')  # few programs have bfloat16
    network = network._replace(config=dataclasses.replace(network.config, model=model))
    for function in functions(network):
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # some versions print a line for each layer
                converted = to_onnx(
                    function.call,
                    list(function.inputs.values()),
                    model_name=function.name,
                    input_names=list(function.inputs),
                    output_names=list(function.outputs),
                )
        except NotImplementedError as error:  # at 32 pixels, where maps have forms of their own on the CPU
            raise UserError(
                f'--onnx: jax2onnx cannot convert this network ({first_line(error)}); leave it out'
            ) from error
        (folder / f'{function.name}.onnx').write_bytes(converted.SerializeToString())
