"""A result from Python as the folder that `cosegnet predict` writes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from scipy import sparse

from cosegnet_jax.inference import group_folders, results_folder
from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.inference.pages.overview_page import write_overview
from cosegnet_jax.inference.pages.report_page import write_report
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path


def save(found: CoSegmentation, folder: str | os.PathLike) -> Path:
    """Writes masks/, cutouts/, groups/, groups.csv, pairs.json and report.html; see `CoSegmentation.save`."""
    out = local_path(folder)
    try:
        if out.is_dir() and any(out.iterdir()):
            raise UserError(f'{out}: holds files; name a new folder, so that nothing is overwritten')
    except OSError as error:
        raise UserError(f'{out}: {error.strerror}; name another folder') from error
    names = inner_names(found.names)
    masks, cutouts = results_folder.mask_names(names), results_folder.cutout_names(names)
    saved = {}
    for index, (mask, cutout) in enumerate(zip(masks, cutouts, strict=True)):
        with files.write_atomically(out / mask) as path:
            results_folder.write_mask(path, found.masks[index])
        if found.masks[index].any():
            with files.write_atomically(out / cutout) as path:
                results_folder.write_cutout(path, found.cutouts()[index])
    for name, index in group_folders.placed(found, names).items():
        saved[name] = Path(found.names[index])
    group_folders.link(out, {name: photo for name, photo in saved.items() if photo.is_file()})
    with files.write_atomically(out / 'groups.csv') as path:
        path.write_text(group_folders.table(found, masks, cutouts), encoding='utf-8')
    write_page = write_overview if sparse.issparse(found.probabilities) else write_report
    with files.write_atomically(out / 'report.html') as path:
        write_page(path, found, threshold=found.threshold, title=f'{len(names)} photos')
    files.write_json(out / 'pairs.json', results_folder.document(found, masks, found.threshold, [], [], []))
    return out / 'report.html'


def inner_names(names: Sequence[str]) -> list[str]:
    """Names that stay inside a folder, all different: paths begin at the folder that holds all photos."""
    whole = [os.path.abspath(name) for name in names]
    root = os.path.commonpath([os.path.dirname(name) for name in whole])
    found: dict[str, int] = {}
    for name in whole:
        inner = Path(os.path.relpath(name, root))
        number, free = 1, inner
        while str(free) in found:
            number += 1
            free = inner.with_name(f'{inner.stem} ({number}){inner.suffix}')
        found[str(free)] = number
    return list(found)
