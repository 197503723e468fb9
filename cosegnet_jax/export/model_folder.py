"""A checkpoint as a folder that can be given away: the model file, its card, and other formats on request."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from cosegnet_jax.export import model_card, model_file, pretrained
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
    run = pretrained.run_folder(name)
    evaluations = finished_runs.of_run(run) if run else []
    evaluations = [one for one in evaluations if one.document['step'] == network.step]
    text = model_card.text(network, stored, evaluations, _validation(run, network.step) if run else None)
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
        raise UserError(f'--out={out}: cannot be written ({error.strerror}); mend that') from error


def _validation(workdir: Path, step: int) -> run_files.Record | None:
    """The record of a validation at a step; None where there was none."""
    found = [record for record in run_files.read(workdir) if record['step'] == step]
    return next((record for record in found if checkpoints.SCORE in record), None)
