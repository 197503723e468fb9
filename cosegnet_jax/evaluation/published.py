"""The figures of the paper's Tables 1-5, to print beside our own.

They are as printed: the authors' splits, 224x224 images, and methods that were themselves measured under
different protocols. What the paper leaves out is None here.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class PublishedRow:
    """One line of a published table; precision and jaccard in [0, 1]."""

    method: str
    precision: float | None
    jaccard: float | None
    source: str


def published_rows(*names: str) -> tuple[PublishedRow, ...]:
    """Find the paper's rows for a data set by how one of its names begins; empty where the paper has none.

    Args:
        names: what the data set is called, e.g. in the config and by its folder. `pascal_voc10` and
            `Internet-100` are found, for instance.
    """
    for name in names:
        for prefixes, rows in _TABLES.items():
            if name.lower().startswith(prefixes):
                return rows
    return ()


def _rows(source: str, *rows: tuple[str, float | None, float | None]) -> tuple[PublishedRow, ...]:
    return tuple(PublishedRow(method, precision, jaccard, source) for method, precision, jaccard in rows)


_TABLES: dict[tuple[str, ...], tuple[PublishedRow, ...]] = {
    ('pascal_voc', 'pascal_coseg'): (
        *_rows(
            'Table 1',
            ('Faktor and Irani, 2013', 0.840, 0.46),
            ('Quan et al., 2016', 0.890, 0.52),
            ('Wang et al., 2017', 0.843, 0.52),
            ('Hsu et al., 2018', 0.910, 0.60),
            ('CoSegNet', 0.954, 0.68),
        ),
        *_rows('Table 5', ('CoSegNet-base', None, 0.47)),
    ),
    ('internet',): (
        *_rows(
            'Table 2',
            ('Joulin et al., 2010', 0.570, 0.28),
            ('Rubinstein et al., 2013', 0.827, 0.51),
            ('Chen et al., 2014', 0.890, 0.46),
            ('Quan et al., 2016', 0.896, 0.60),
            ('Hsu et al., 2018', 0.923, 0.70),
            ('Yuan et al., 2017', 0.910, 0.68),
            ('Li et al., 2018', 0.933, 0.70),
            ('Chen et al., 2018', None, 0.73),
            ('CoSegNet', 0.961, 0.77),
        ),
        *_rows('Table 3', ('CoSegNet, trained on PASCAL-VOC', 0.940, 0.72)),
        *_rows('Table 5', ('CoSegNet-base', None, 0.61)),
    ),
    ('msrc',): (
        *_rows(
            'Table 4',
            ('Vicente et al., 2010', 0.900, 0.71),
            ('Rubinstein et al., 2013', 0.922, 0.75),
            ('Faktor and Irani, 2013', 0.920, 0.77),
            ('Wang et al., 2013', 0.922, None),
            ('Li et al., 2018', 0.944, 0.80),
            ('Chen et al., 2018', 0.953, 0.77),
            ('CoSegNet', 0.963, 0.85),
        ),
        *_rows('Table 5', ('CoSegNet-base', None, 0.63)),
    ),
}
