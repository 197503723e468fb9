"""Packs what run.py needs on a machine that reaches no other: photos, weights, CPU answers, and packages.

python benchmarks/accelerator/pack.py --root=PASCAL --weights=VGG16.npz --peers=FOLDER --out=FOLDER

PASCAL has images/<class>/* and masks/<class>/*. FOLDER may have up to 50 MiB, so that it travels with the
tree in 64.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
from pathlib import Path

import carried
import numpy as np

from cosegnet_jax import data
from cosegnet_jax.export import pretrained
from cosegnet_jax.networks.image_network import ImageNetwork
from cosegnet_jax.runtime import mesh as meshes

PACKAGES = ('ml_collections', 'efficientnet_lite_pytorch')  # of pure Python, which the machine lacks
COMPARED = 16  # photos whose masks and embeddings are packed
LIMIT = 50 * 2**20


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser()
    for name in ('root', 'weights', 'peers', 'out'):
        parser.add_argument(f'--{name}', type=Path, required=True)
    parser.add_argument('--size', type=int, default=224)
    parser.add_argument('--most', type=int, help='photos, for a rehearsal')
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    settings = carried.config(
        'pascal_voc_tuned', data__root=str(given.root), data__name='pascal_coseg', image_size=given.size
    )
    examples = data.load(settings)
    split = data.draw_split(examples, settings)
    part = np.full(len(examples), -1)
    for number, name in enumerate(carried.PARTS):
        part[getattr(split, name)] = number
    rows = np.arange(len(examples))[:: -(-len(examples) // given.most) if given.most else 1]
    chosen = examples.subset(rows)
    images, masks = np.stack(list(chosen.images)), np.stack(list(chosen.masks))
    files = carried.encode(images, 'JPEG') | carried.encode(masks, 'PNG') | {'part': part[rows]}
    np.savez(
        given.out / 'photos.npz',
        name=examples.name,
        classes=np.array(examples.classes),
        filenames=np.array(chosen.filenames),
        labels=chosen.labels,
        **files,  # pyright: ignore[reportArgumentType]  # none is named allow_pickle
    )
    with np.load(given.weights) as arrays:
        np.savez(given.out / 'vgg16.npz', **{name: arrays[name].astype(np.float16) for name in arrays})
    network = pretrained.load(None, meshes.data_mesh(), None)
    assert isinstance(network, ImageNetwork)
    pixels = images[:COMPARED]
    [(soft, embeddings, _)] = network.describe([pixels], len(pixels))
    levels = np.round(soft * 255).astype(np.uint8)
    answers = {'pixels': pixels, 'masks': levels, 'embeddings': embeddings}
    of = np.array(network.fingerprint())
    np.savez_compressed(given.out / 'expected.npz', of=of, **answers)  # pyright: ignore[reportArgumentType]
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        assert spec, f'{name} is not installed'
        assert spec.origin
        target, ignored = given.out / 'site' / name, shutil.ignore_patterns('__pycache__', 'tests')
        shutil.copytree(Path(spec.origin).parent, target, ignore=ignored, dirs_exist_ok=True)
    shutil.copytree(given.peers, given.out / 'peers', dirs_exist_ok=True)
    size = sum(path.stat().st_size for path in given.out.rglob('*') if path.is_file())
    print(f'{given.out}: {len(rows)} photos, {size / 2**20:.1f} MiB')
    assert size < LIMIT, 'too large to travel: lower --size or --most'


if __name__ == '__main__':
    main()
