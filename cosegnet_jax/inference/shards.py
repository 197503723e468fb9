"""A collection that several processes look at, each at its share, before one decides its pairs.

Each process writes parts, OUT/.described/shards/NUMBER-of-COUNT/PART.zip: the descriptions of some hundred
photos as `cache` keeps them, and photos.json, which says whose they are. Parts that are there are not made
again. Whoever decides the pairs takes the descriptions out of all parts. The parts may have been written on
other machines and copied.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cosegnet_jax.inference import cache
from cosegnet_jax.inference.collection import Photo
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.inference.describing import describe_photos
from cosegnet_jax.inference.results_folder import Skipped
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.progress import Progress

PART = 256  # photos; at most so many are lost when a process is killed
_CONTENTS = 'photos.json'


class Shard(NamedTuple):
    """One share of a collection: every photo whose number leaves `number` when divided by `count`."""

    number: int  # from 0
    count: int


def parse(text: str) -> Shard:
    """A shard from 'I/N', such as '0/4', '1/4', '2/4' and '3/4'.

    Raises:
        UserError: It is none.
    """
    found = re.fullmatch(r'(\d+)/(\d+)', text)
    shard = Shard(*map(int, found.groups())) if found else None
    if shard is None or shard.number >= shard.count:
        raise UserError(f'--shard={text}: must be I/N, I from 0 to N-1, such as 0/4 for the first of four')
    return shard


def describe_share(photos: Sequence[Photo], segmenter: CoSegmenter, out: Path, shard: Shard) -> list[Skipped]:
    """Looks at the photos of a share, and writes what is found, part by part.

    Args:
        photos: The whole collection, in the same order for every shard.
        segmenter: The network, the same for every shard.
        out: Folder of results, which `cache.check` lets pass.
        shard: Which share.

    Returns:
        Photos that cannot be read.

    Raises:
        UserError: A part cannot be written.
    """
    cache.begin(out, segmenter.network.fingerprint())
    folder = _folder(out, shard)
    files.remove_unfinished(folder)
    share = photos[shard.number :: shard.count]
    with Progress('Finding objects', len(share), 'photos') as bar:
        skipped = []
        for start in range(0, max(len(share), 1), PART):  # an empty share writes an empty part
            skipped += _write_part(folder / f'{start:08}.zip', share[start : start + PART], segmenter, bar)
    files.write_json(folder / 'finished.json', {'photos': len(share)})
    return skipped


def _write_part(path: Path, photos: Sequence[Photo], segmenter: CoSegmenter, bar: Progress) -> list[Skipped]:
    states = {photo.name: _state(photo.path) for photo in photos}
    contents = _contents(path)
    if contents is None or {name: one['state'] for name, one in contents.items()} != states:
        contents = {}
        with files.write_atomically(path) as unfinished, zipfile.ZipFile(unfinished, 'w') as archive:
            for photo, found in describe_photos(segmenter, photos, bar):
                contents[photo.name] = {'state': states[photo.name]}
                if isinstance(found, Skipped):
                    contents[photo.name]['skipped'] = found.reason
                    continue
                try:
                    key = cache.key(photo.path, {})
                except OSError as error:
                    contents[photo.name]['skipped'] = f'{error.strerror}; mend it or remove it'
                    continue
                contents[photo.name]['key'] = key
                archive.writestr(key, cache.to_bytes(found))
            archive.writestr(_CONTENTS, json.dumps(contents))
    else:
        bar.update(len(photos))
    return [Skipped(name, one['skipped']) for name, one in contents.items() if 'skipped' in one]


def collect(photos: Iterable[Photo], out: Path) -> None:
    """Takes the descriptions out of all parts, so that no photo has to be looked at, or even read, again.

    Raises:
        UserError: There are no shards, shards of several counts, or one that is not finished.
    """
    parts = [part for shard in _finished(out) for part in sorted(_folder(out, shard).glob('[!.]*.zip'))]
    paths = {photo.name: photo.path for photo in photos}
    keys = {}
    with Progress('Collecting shards', len(parts), 'parts') as bar:
        for part in parts:
            contents = _contents(part)
            if contents is None:
                raise UserError(f'{part}: damaged; delete it, and run its shard again')
            with zipfile.ZipFile(part) as archive:
                for name, one in contents.items():
                    if 'key' not in one or name not in paths or _state(paths[name]) != one['state']:
                        continue  # it cannot be read, or is gone or changed since
                    keys[paths[name]] = one['key']
                    if cache.load(out, one['key']) is None:
                        cache.save_bytes(out, one['key'], archive.read(one['key']))
            bar.update()
    cache.write_keys(out, keys)


def _finished(out: Path) -> list[Shard]:
    folders = sorted((out / cache.FOLDER / 'shards').glob('*-of-*'))
    counts = {int(folder.name.split('-of-')[1]) for folder in folders}
    if len(counts) != 1:
        found = ' and '.join(map(str, sorted(counts)))
        raise UserError(
            f'{out}: holds {f"shards of {found}" if found else "no shards"}; run cosegnet predict '
            f'--shard=I/N for every I below one N{", and delete the folders of the others" * bool(found)}'
        )
    shards = [Shard(number, count) for count in counts for number in range(count)]
    missing = [
        f'{shard.number}/{shard.count}'
        for shard in shards
        if not (_folder(out, shard) / 'finished.json').is_file()
    ]
    if missing:
        raise UserError(f'{out}: not finished: --shard={", --shard=".join(missing)}; run these again')
    return shards


def _contents(part: Path) -> dict[str, Any] | None:
    """Photos of a part; None where there is none that can be read."""
    try:
        with zipfile.ZipFile(part) as archive:
            return json.loads(archive.read(_CONTENTS))
    except files.DAMAGED_ARRAYS:
        return None


def _state(path: Path) -> list[int]:
    """What tells on every machine that a file has not changed."""
    try:
        found = os.stat(path)
        return [found.st_size, found.st_mtime_ns]
    except OSError:
        return []


def _folder(out: Path, shard: Shard) -> Path:
    return out / cache.FOLDER / 'shards' / f'{shard.number:05}-of-{shard.count:05}'
