"""Makes one folder of all that a campaign needs: code, data sets, weights, wheels, numbers of this machine.

python -m campaign.pack --prepared_dir=DIR --weights=FILE.npz [--wheels=DIR] --out=packed

`plan.Scale` says which set, at which size; with --trial, `plan.TRIAL`: small images and few steps.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from absl import flags

from campaign import packing, plan
from cosegnet_jax import cli, data
from cosegnet_jax.config import resolve
from cosegnet_jax.data import arrays
from cosegnet_jax.errors import UserError

_PREPARED_DIR = flags.DEFINE_string('prepared_dir', '', 'Where prepared sets are.')
_JPEG_QUALITY = flags.DEFINE_integer(
    'jpeg_quality', None, 'Photos as JPEG; without it every pixel stays as it is.', 1, 100
)
_WEIGHTS = flags.DEFINE_string('weights', None, 'VGG16 weights (.npz), packed in half precision.')
_WHEELS = flags.DEFINE_string('wheels', None, 'Folder of wheels to take along.')
_TRIAL = flags.DEFINE_bool('trial', False, 'For a campaign of minutes on a CPU, to see that all of it runs.')
_OUT = flags.DEFINE_string('out', 'packed', 'Folder to make.')


def main() -> None:
    """Packs, and tries the packed code on the packed data by computing the numbers to compare with."""
    if not _WEIGHTS.value:
        raise UserError('--weights=FILE.npz is missing: name the VGG16 weights that training begins with')
    out = cli.writable('out', _OUT.value).resolve()
    name = 'trial' if _TRIAL.value else 'full'
    scale = plan.SCALES[name]
    if any(out.iterdir()):
        raise UserError(f'--out={out}: not empty; remove it or name another folder')
    packing.copy_code(out)
    source = {'name': scale.data, 'prepared_dir': _PREPARED_DIR.value}
    examples = data.load(resolve({'image_size': scale.image_size, 'data': source}))
    arrays.write(arrays.path(out / plan.DATA, scale.data, scale.image_size), examples, _JPEG_QUALITY.value)
    packing.halve_weights(Path(_WEIGHTS.value), out / plan.WEIGHTS)
    if _WHEELS.value:
        shutil.copytree(_WHEELS.value, out / 'wheels')
    packing.check_size(out, packing.MOST_MIB)
    packing.add_reference(out, scale)
    (out / plan.SCALE).write_text(name)  # last, so that half a folder is refused
    print(f'{out}: {packing.check_size(out, packing.MOST_MIB):.1f} MiB')


if __name__ == '__main__':
    cli.start(main)
