"""Versions, ceilings, and how far masks and embeddings are from those of a CPU.

python benchmarks/accelerator/device.py FOLDER [--tiny]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from cosegnet_jax.benchmark import timing
from cosegnet_jax.export import pretrained
from cosegnet_jax.networks.image_network import ImageNetwork
from cosegnet_jax.runtime import mesh as meshes

PACKAGES = ('jax', 'jaxlib', 'flax', 'optax', 'torch', 'numpy')


def main() -> None:
    """Prints lines of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument('folder', type=Path)
    parser.add_argument('--tiny', action='store_true')
    given = parser.parse_args()
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    row = {'device': jax.devices()[0].device_kind, **versions}
    for dtype in ('bfloat16', 'float32'):
        row[f'{dtype}_tflop_per_s'] = timing.matmul_flops_per_s(jnp.dtype(dtype)) / 1e12
    size = 2**20 if given.tiny else 2**31
    x = jnp.zeros(size, jnp.bfloat16)
    seconds = timing.median_seconds(lambda: copied(x), 5, 3)
    print(json.dumps(row | {'copy_gb_per_s': 2 * x.nbytes / seconds / 1e9}), flush=True)
    with np.load(given.folder / 'expected.npz') as arrays:
        expected = dict(arrays)
    network = pretrained.load(None, meshes.data_mesh(), None)
    if str(expected['of']) != network.fingerprint():
        raise SystemExit(f'{given.folder}: holds the answers of another network; pack it again')
    for dtype in ('float32', 'bfloat16'):
        typed = network.with_dtype(dtype)
        assert isinstance(typed, ImageNetwork)
        pixels = expected['pixels'][: 2 if given.tiny else None]
        [(masks, embeddings, _)] = typed.describe([pixels], len(pixels))
        levels = expected['masks'][: len(pixels)] / 255
        differences = {
            'dtype': dtype,
            'photos': len(pixels),
            'masks': float(np.abs(masks - levels).max()),
            'changed_pixels': float(((masks >= 0.5) != (levels >= 0.5)).mean()),
            'embeddings': float(np.abs(embeddings - expected['embeddings'][: len(pixels)]).max()),
        }
        print(json.dumps(differences), flush=True)


@jax.jit
def copied(x: jax.Array) -> jax.Array:
    """All of it, read once and written once."""
    return x + jnp.bfloat16(1)


if __name__ == '__main__':
    main()
