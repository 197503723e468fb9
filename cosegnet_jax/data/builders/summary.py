"""The summary of a prepared set, in words."""

from __future__ import annotations

import numpy as np

from cosegnet_jax.data.builders.base import CosegBuilder, Published


def summary(builder: CosegBuilder) -> str:
    """Say images, outliers and mean object area by class, how counts compare, and what was rejected."""
    metadata = dict(builder.info.metadata or {})
    shares: dict[str, list[float]] = {name: [] for name in metadata['classes']}
    for labels, parts in zip(metadata['labels'], metadata['shares'], strict=True):
        for label, part in zip(labels, parts, strict=True):
            shares[metadata['classes'][label]].append(part)
    photos, images = len(metadata['filenames']), sum(map(len, shares.values()))
    width = max(map(len, [*shares, 'class']))
    lines = [f'{"class":{width}}  images  outliers  object']
    lines += [_line(name, width, len(of), of) for name, of in shares.items()]
    lines += [_line('all', width, images, [part for of in shares.values() for part in of]), '']
    if images > photos:
        several = sum(len(labels) > 1 for labels in metadata['labels'])
        lines += [f'{photos:,} photos, of which {several:,} are filed under several classes']
    if builder.published:
        lines += _comparison(builder.published, photos, shares)
    lines += [f'rejected: {text}' for text in metadata['rejected']]
    lines += [f'note: {text}' for text in metadata.get('remarks', [])]
    lines += [f'{builder.info.full_name}: {builder.info.dataset_size} in {builder.data_dir}']
    return '\n'.join(lines)


def _line(name: str, width: int, images: int, shares: list[float]) -> str:
    outliers = shares.count(0)
    return f'{name:{width}}  {images:6,}  {outliers:8,}  {np.mean(shares):6.1%}'


def _comparison(published: Published, photos: int, shares: dict[str, list[float]]) -> list[str]:
    """Write a line for each count that differs from the publication, or one line that all agree."""
    images = sum(map(len, shares.values()))
    totals = [
        (f'{found:,} {what}', found, expected)
        for what, found, expected in (
            ('classes', len(shares), published.classes),
            ('images', images, published.images),
            ('photos', photos, published.photos),
        )
        if expected is not None
    ]
    parts = [
        (f'{found:,} {what} of {name}', found, expected)
        for what, counts, count in (
            ('images', published.images_of, len),
            ('outliers', published.outliers_of, lambda of: of.count(0)),
        )
        for name, expected in counts.items()
        for found in [count(shares.get(name, []))]
    ]
    differing = [
        f'differs from the publication: {text} instead of {expected:,}'
        for text, found, expected in totals + parts
        if found != expected
    ]
    return differing or ['as published: ' + ', '.join(text for text, *_ in totals)]
