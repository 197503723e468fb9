"""How near exported networks are to the run that they are from, on photos, and how fast.

python benchmarks/exported_forms.py --workdir=runs/pascal --exported=FOLDER[,FOLDER] --images=FOLDER

Prints a line of JSON for each form of the network that is in these folders of `cosegnet export`: its largest
differences from the checkpoint it was made of, in masks, embeddings and probabilities, and the share of the
pixels that only one of the two takes for object. Without --workdir they are from the model file of the
folder. The photos are 24 of a folder, spread over it, or all of a smaller one. `images_per_s` is of
describing them all together, the forms of a folder in turn; `jax_ratio` is that of the model file over it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from absl import flags
from jax import export
from jaxtyping import Float, UInt8

from cosegnet_jax.benchmark.row import Row
from cosegnet_jax.cli import command_line
from cosegnet_jax.data.files.photos import squash_photo
from cosegnet_jax.export import model_file
from cosegnet_jax.export.exported_functions import functions, merged
from cosegnet_jax.inference import collection
from cosegnet_jax.inference.cosegmentation import MASK_THRESHOLD
from cosegnet_jax.inference.photo_reading import read
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.optional_import import optional_import
from cosegnet_jax.training import checkpoints

PHOTOS = 24  # at most, looked at together

_EXPORTED = flags.DEFINE_list('exported', [], 'Folders of cosegnet export, with commas between.')
_IMAGES = flags.DEFINE_string('images', None, 'Folder of photos.')
_ROUNDS = flags.DEFINE_integer('rounds', 3, 'Times that each form is timed, in turn.', lower_bound=1)


class Answers(NamedTuple):
    """What a network says of photos."""

    masks: Float[np.ndarray, 'n h w']  # probabilities of object
    embeddings: Float[np.ndarray, 'n 64']
    probabilities: Float[np.ndarray, 'n n']  # of a shared object


class Form(NamedTuple):
    """One way to write a network down."""

    describe: Callable  # photos to masks and embeddings
    decide: Callable  # embeddings and embeddings to probabilities


def main() -> None:
    """Prints lines of JSON."""
    command_line.refuse_config()
    if not _EXPORTED.value or not _IMAGES.value:
        raise UserError('--exported=FOLDER and --images=FOLDER must be given: networks, and photos for them')
    photos = collection.find([_IMAGES.value]).photos
    chosen = [photos[k] for k in np.linspace(0, len(photos) - 1, min(len(photos), PHOTOS), dtype=int)]
    for folder in map(Path, _EXPORTED.value):
        network = model_file.read(folder / model_file.NAME, meshes.data_mesh())
        original = network
        if flags.FLAGS['workdir'].present:
            run = command_line.run_folder()
            original = checkpoints.load_network(run, None, meshes.data_mesh(), network.step)
        side = network.config.scored_size
        images = np.stack([squash_photo(np.asarray(read(photo.path)), side) for photo in chosen])
        expected = answers(_jax(model_file.release(original)), images)
        found = dict(forms(folder, network))
        about = {'photos': len(images), 'side': side}
        rows = [{'file': str(file)} | about | differences(answers(form, images), expected)
                for file, form in found.items()]  # fmt: skip
        for row, speed in zip(rows, speeds(list(found.values()), images, _ROUNDS.value), strict=True):
            print(json.dumps(row | speed), flush=True)


def speeds(found: Sequence[Form], images: UInt8[np.ndarray, 'n h w 3'], blocks: int) -> list[Row]:
    """Images a second of each form, all of which have described these images before; the median of `blocks`.

    The forms take turns, so that a machine's drift falls on all.
    """
    seconds = np.empty((blocks, len(found)))
    for block, number in np.ndindex(seconds.shape):
        start = time.perf_counter()
        jax.block_until_ready(found[number].describe(images))
        seconds[block, number] = time.perf_counter() - start
    ratios = np.median(seconds / seconds[:, :1], 0)
    rates = len(images) / np.median(seconds, 0)
    return [
        {'images_per_s': rate, 'jax_ratio': ratio}
        for rate, ratio in zip(rates.tolist(), ratios.tolist(), strict=True)
    ]


def answers(form: Form, images: UInt8[np.ndarray, 'n h w 3']) -> Answers:
    """All that a network has to say of photos."""
    masks, embeddings = form.describe(images)
    return Answers(*map(np.asarray, (masks, embeddings, form.decide(embeddings, embeddings))))


def differences(found: Answers, expected: Answers) -> Row:
    """The largest of each kind, and the share of pixels on different sides of the threshold of masks."""
    largest = {
        name: float(np.abs(getattr(found, name) - getattr(expected, name)).max()) for name in found._fields
    }
    changed = (found.masks >= MASK_THRESHOLD) != (expected.masks >= MASK_THRESHOLD)
    return largest | {'changed_pixels': float(changed.mean())}


def forms(folder: Path, network: TrainedNetwork) -> Iterator[tuple[Path, Form]]:
    """Files and what they hold, of what there is in an exported folder.

    Raises:
        UserError: Of a form that takes two files, only one is there.
    """
    yield folder / model_file.NAME, _jax(network)
    for suffix, load in (('stablehlo', _stablehlo), ('onnx', _onnx)):
        files = [folder / f'{name}.{suffix}' for name in Form._fields]
        missing = [file for file in files if not file.is_file()]
        if not missing:
            yield files[0], load(files)
        elif len(missing) < len(files):
            raise UserError(f'{missing[0]}: no such file, and the other of its form is there; export again')


def _jax(network: TrainedNetwork) -> Form:
    return Form(*(jax.jit(one.call) for one in functions(merged(network), network.config.scored_size)))


def _stablehlo(files: Sequence[Path]) -> Form:
    return Form(*(export.deserialize(bytearray(file.read_bytes())).call for file in files))


def _onnx(files: Sequence[Path]) -> Form:
    onnxruntime = optional_import('onnxruntime', 'onnx')
    describe, decide = (
        onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider']) for file in files
    )
    return Form(
        lambda images: describe.run(None, {'images': images}),
        lambda rows, columns: decide.run(None, {'rows': rows, 'columns': columns})[0],
    )


if __name__ == '__main__':
    command_line.start(main)
