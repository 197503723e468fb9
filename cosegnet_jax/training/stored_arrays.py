"""Arrays of a checkpoint, read one after another to know whether they are sound.

Orbax reads many at a time. Where one is damaged, each of the others that is still under way ends in a
traceback on stderr, from threads whose exceptions nobody can catch.
"""

from __future__ import annotations

from pathlib import Path

import tensorstore as ts

_ARRAY = b'.zarray'  # the file of an array in Zarr, which describes it


def check_arrays(folder: Path) -> None:
    """Read every array that Orbax has stored in a folder, and forget it.

    Raises:
        ValueError: One is damaged.
    """
    store = {'driver': 'ocdbt', 'base': {'driver': 'file', 'path': f'{folder}/'}}
    for key in ts.KvStore.open(store).result().list().result():
        if key.endswith(_ARRAY):
            place = {**store, 'path': key.removesuffix(_ARRAY).decode()}
            ts.open({'driver': 'zarr', 'kvstore': place}).result().read().result()
