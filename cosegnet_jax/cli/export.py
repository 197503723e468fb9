"""Export a trained network as files that others can load.

cosegnet export --model=DIR --out=FOLDER [--checkpoint_step=N] [--half] [--stablehlo] [--onnx]

Writes FOLDER/model.safetensors, all that `cosegnet predict --model` and CoSegmenter.from_pretrained need, and
FOLDER/README.md, its model card. --stablehlo adds describe.stablehlo and decide.stablehlo for JAX without
cosegnet_jax, and --onnx adds describe.onnx and decide.onnx. docs/models.md shows how all of them are used.
"""

import functools

from absl import flags

from cosegnet_jax.cli import command_line
from cosegnet_jax.cli.segmenter import model_flag
from cosegnet_jax.export import onnx_file, stablehlo
from cosegnet_jax.export.model_folder import export
from cosegnet_jax.runtime.errors import UserError

_OUT = flags.DEFINE_string('out', None, 'Folder for the files; empty or new.')
_STEP = flags.DEFINE_integer(
    'checkpoint_step', None, 'Checkpoint of a run to export; the best by validation if not given.'
)
_HALF = flags.DEFINE_bool('half', False, 'Store the parameters as float16, in half of the space.')
_STABLEHLO = flags.DEFINE_bool('stablehlo', False, 'Write the network as StableHLO, too.')
_ONNX = flags.DEFINE_bool('onnx', False, 'Write the network as ONNX, too.')


def main() -> None:
    """Export one checkpoint of a run."""
    if not _OUT.value:
        raise UserError('--out=FOLDER is missing: name a new folder')
    writers = [stablehlo.write] * _STABLEHLO.value
    if _ONNX.value:
        writers.append(functools.partial(onnx_file.write, to_onnx=onnx_file.converter()))
    stored = 'float16' if _HALF.value else 'float32'
    files = export(model_flag(), command_line.writable('out', _OUT.value), _STEP.value, stored, writers)
    for file in files:
        print(f'{file.stat().st_size / 2**20:8.2f} MiB  {file}')
