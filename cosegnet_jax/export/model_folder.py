"""A checkpoint as a folder that can be given away: the model file, its card, and other formats on request."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from cosegnet_jax.export import model_card, model_file, pretrained, shipped_network
from cosegnet_jax.export.model_file import Stored
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.reports import finished_runs
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import checkpoints, run_files

CARD = 'README.md'

Writer = Callable[[Path, TrainedNetwork], None]  # of a network into a folder


def export(
    name: str | None, out: Path, step: int | None, stored: Stored, writers: Sequence[Writer]
) -> list[Path]:
    """Write model.safetensors, README.md, and the files of `writers`.

    Args:
        name: Of the network, for `pretrained.load`.
        out: Empty folder.
        step: Which checkpoint; None is the best by validation.
        stored: Type of the parameters in the model file. Other formats hold the same numbers as float32.
        writers: Of other formats.

    Returns:
        The files.

    Raises:
        UserError: `out` is not empty or cannot be written, the checkpoint or an evaluation cannot be read, or
            the network is one that looks at pairs.
    """
    if any(out.iterdir()):
        raise UserError(f'--out={out}: is not empty; name a new folder, so that nothing is overwritten')
    mesh = meshes.data_mesh()
    network = model_file.release(pretrained.load(name, mesh, step))
    text = _card(pretrained.run_folder(name), network, stored)
    try:
        with tempfile.TemporaryDirectory(dir=out) as unfinished:  # so that `out` holds all of it or nothing
            folder = Path(unfinished)
            model_file.write(folder / model_file.NAME, network, stored)
            written = model_file.read(folder / model_file.NAME, mesh)
            for write in writers:
                write(folder, written)
            (folder / CARD).write_text(text, encoding='utf-8')
            return [file.replace(out / file.name) for file in sorted(folder.iterdir())]
    except OSError as error:
        raise UserError(f'--out={out}: cannot be written ({error.strerror}); fix that') from error


def card(name: str | None, network: TrainedNetwork) -> str:
    """The model card of a network: the one that lies beside its file, or what a new one would say.

    Args:
        name: Of the network, for `pretrained.load`.
        network: What it gave.

    Raises:
        UserError: An evaluation of a run cannot be read.
    """
    run = pretrained.run_folder(name)
    beside = None if run else pretrained.find(name or shipped_network.WORD).with_name(CARD)
    if beside and beside.is_file():
        return beside.read_text(encoding='utf-8')
    return _card(run, model_file.release(network), 'float32')


def _card(run: Path | None, network: TrainedNetwork, stored: Stored) -> str:
    evaluations = finished_runs.of_run(run) if run else []
    evaluations = [one for one in evaluations if one.document['step'] == network.step]
    return model_card.text(network, stored, evaluations, _validation(run, network.step) if run else None)


def _validation(workdir: Path, step: int) -> run_files.Record | None:
    """The record of a validation at a step; None where there was none."""
    found = [record for record in run_files.read(workdir) if record['step'] == step]
    return next((record for record in found if checkpoints.SCORE in record), None)
