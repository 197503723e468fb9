"""Inputs that atheris grows from sound files, by the lines of code that each of them reaches.

Runs where atheris is installed, which is in no extra: it has no wheels for many machines.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import inputs

SECONDS = 120  # of each reader
TARGETS = ('photos', 'masks', 'model_files')
_SIZE = (12, 9)


def run(scale: float, folder: Path) -> dict:
    """Feeds each reader for a while. An exception that is no `UserError`, or a wrong value, ends a reader."""
    if find_spec('atheris') is None:
        return {'skipped': 'atheris is not installed'}
    figures = {name: _one(name, max(5, round(SECONDS * scale)), folder / name) for name in TARGETS}
    total = {key: sum(one[key] for one in figures.values()) for key in ('inputs', 'tracebacks')}
    return {**total, 'readers': figures}


def _one(name: str, seconds: int, folder: Path) -> dict:
    corpus = folder / 'corpus'
    corpus.mkdir(parents=True)
    for number, content in enumerate(_seeds(name, folder)):
        (corpus / f'{number}').write_bytes(content)
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', __file__, name, str(folder), str(seconds)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
    )  # fmt: skip
    counts = re.findall(r'^#(\d+)', done.stdout, re.MULTILINE) or ['0']
    failed = done.returncode != 0
    return {
        'inputs': max(map(int, counts)),
        'tracebacks': int(failed),
        **({'said': done.stdout[-1500:]} if failed else {}),
    }


def _seeds(name: str, folder: Path) -> list[bytes]:
    if name == 'photos':
        return [inputs.encoded(number)[1] for number in range(24)]
    if name == 'model_files':
        model = inputs.model_file(inputs.run_folder(folder / 'run'), folder / 'exported').read_bytes()
        return [model[: 8 + int.from_bytes(model[:8], 'little')]]  # the header; the rest is numbers
    mask = inputs.scene(0, _SIZE).convert('L').point(lambda level: 255 * (level > 120))
    cut_out = inputs.scene(0, _SIZE)
    cut_out.putalpha(mask)
    kinds = [
        ('PNG', mask), ('PNG', mask.convert('1')), ('PNG', cut_out), ('PNG', mask.convert('I;16')),
        ('PNG', mask.convert('P')), ('GIF', mask.quantize(4)), ('JPEG', mask), ('BMP', mask),
        ('TIFF', mask), ('TIFF', mask.convert('F')), ('WEBP', cut_out),
    ]  # fmt: skip
    seeds = []
    for kind, image in kinds:
        file = io.BytesIO()
        image.save(file, kind)
        seeds.append(file.getvalue())
    return seeds


def _reader(name: str, folder: Path) -> Callable[[Path], None]:
    """A function that reads a file, and fails where what it read cannot be right."""
    from cosegnet_jax.data.files import image_files, photos
    from cosegnet_jax.export import model_file

    image_files.limit_pixels(10**6)
    photo = folder / 'photo.png'
    inputs.scene(0, _SIZE).save(photo)

    def read_photo(path: Path) -> None:
        loaded = image_files.load(path).image
        rgb = photos.rgb(loaded, path)
        assert (rgb.mode, rgb.size) == ('RGB', loaded.size)

    def read_mask(path: Path) -> None:
        found = photos.read(photo, path)
        assert found.mask.shape == found.photo.shape[:2]
        assert found.mask.max() <= 1

    def read_model_file(path: Path) -> None:
        model_file.is_one(path)
        model_file.read_config(path)

    return {'photos': read_photo, 'masks': read_mask, 'model_files': read_model_file}[name]


def _main(name: str, folder: Path, seconds: str) -> None:
    import atheris

    with atheris.instrument_imports(
        ['cosegnet_jax.data', 'cosegnet_jax.export', 'cosegnet_jax.config', 'PIL']
    ):
        read = _reader(name, folder)
    from cosegnet_jax.runtime.errors import UserError

    file = folder / 'input'

    def attempt(content: bytes) -> None:
        file.write_bytes(content)
        with contextlib.suppress(UserError):
            read(file)

    options = [f'-max_total_time={seconds}', '-max_len=8192', '-timeout=20', '-rss_limit_mb=4096']
    os.chdir(folder)  # where libFuzzer leaves what made it end
    atheris.Setup([sys.argv[0], str(folder / 'corpus'), *options, '-print_final_stats=1'], attempt)
    atheris.Fuzz()


if __name__ == '__main__':
    _main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
