"""What a visitor takes away: one zip of masks, cut-outs, groups.csv, pairs.json and report.html."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.runtime import files


def write(path: Path, found: CoSegmentation, document: dict[str, Any], folder: Path) -> None:
    """Packs what `prediction.predict` wrote to `folder` and returned.

    The cut-out of the photo with the mask masks/a.png is cutouts/a.png, RGBA; outliers have none.

    Raises:
        UserError: It cannot be written.
    """
    with files.write_atomically(path) as unfinished, zipfile.ZipFile(unfinished, 'w') as archive:
        for name in ('report.html', 'pairs.json', 'groups.csv'):
            archive.write(folder / name, name, zipfile.ZIP_DEFLATED)
        for mask in document['masks']:
            archive.write(folder / mask, mask)  # PNGs are compressed already
        cutouts = found.cutouts()
        for index in sorted(member for group in found.groups for member in group):
            name = PurePosixPath('cutouts', *PurePosixPath(document['masks'][index]).parts[1:])
            with archive.open(str(name), 'w') as file:
                cutouts[index].save(file, 'PNG', compress_level=1)
