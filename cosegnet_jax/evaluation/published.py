"""The scores in the paper's Tables 1-6, to print beside our own.

They are copied as printed: from the authors' splits and 224x224 images. The methods were measured under
different protocols. None stands for what the paper leaves out.
"""

from __future__ import annotations

import dataclasses

PASCAL, INTERNET, MSRC = 'PASCAL-VOC', 'Internet', 'MSRC'
_PREFIXES = {PASCAL: ('pascal_voc', 'pascal_coseg'), INTERNET: ('internet',), MSRC: ('msrc',)}


@dataclasses.dataclass(frozen=True)
class PublishedRow:
    """One line of a published table; precision and jaccard in [0, 1]."""

    method: str
    precision: float | None
    jaccard: float | None
    source: str


def data_set(*names: str) -> str | None:
    """Find which of the paper's data sets is meant by how one of its names begins; None where it is no such.

    Args:
        names: what the data set is called, e.g. in the config and by its folder. `pascal_voc10` and
            `Internet-100` are found, for instance.
    """
    for name in names:
        for known, prefixes in _PREFIXES.items():
            if name.lower().startswith(prefixes):
                return known
    return None


def published_rows(*names: str) -> tuple[PublishedRow, ...]:
    """List the paper's rows for a data set, called as for `data_set`; empty where the paper has none."""
    known = data_set(*names)
    return ROWS[known] if known else ()


def _rows(source: str, *rows: tuple[str, float | None, float | None]) -> tuple[PublishedRow, ...]:
    return tuple(PublishedRow(method, precision, jaccard, source) for method, precision, jaccard in rows)


ROWS: dict[str, tuple[PublishedRow, ...]] = {
    PASCAL: (
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
    INTERNET: (
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
    MSRC: (
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

# Of a later method, measured by its authors in groups of five images (protocol ssnm); beside which table.
_LATER = 'reported elsewhere, other protocol'
ELSEWHERE = {
    'Table 1': _rows(_LATER, ('SSNM-HRNet, 2020', 0.949, 0.71)),
    'Table 4': _rows(_LATER, ('SSNM-HRNet, 2020', 0.952, 0.82)),
}

# Precision and Jaccard of the classes of the Internet set, by the source and the method of the row above.
INTERNET_CLASSES = ('car', 'horse', 'airplane')
BY_CLASS: dict[tuple[str, str], tuple[tuple[float | None, float], ...]] = {
    ('Table 2', 'Joulin et al., 2010'): ((0.592, 0.37), (0.642, 0.30), (0.475, 0.15)),
    ('Table 2', 'Rubinstein et al., 2013'): ((0.854, 0.64), (0.828, 0.32), (0.880, 0.56)),
    ('Table 2', 'Chen et al., 2014'): ((0.876, 0.65), (0.893, 0.33), (0.900, 0.40)),
    ('Table 2', 'Quan et al., 2016'): ((0.885, 0.67), (0.853, 0.58), (0.910, 0.56)),
    ('Table 2', 'Hsu et al., 2018'): ((0.930, 0.82), (0.897, 0.67), (0.942, 0.61)),
    ('Table 2', 'Yuan et al., 2017'): ((0.904, 0.72), (0.902, 0.65), (0.926, 0.66)),
    ('Table 2', 'Li et al., 2018'): ((0.940, 0.83), (0.914, 0.65), (0.946, 0.64)),
    ('Table 2', 'Chen et al., 2018'): ((None, 0.80), (None, 0.71), (None, 0.71)),
    ('Table 2', 'CoSegNet'): ((0.952, 0.87), (0.962, 0.72), (0.967, 0.71)),
    ('Table 3', 'CoSegNet, trained on PASCAL-VOC'): ((0.946, 0.85), (0.930, 0.67), (0.943, 0.65)),
}

# Jaccard by network (Table 5), and by the layer that feeds the metric network (Table 6).
BY_NETWORK = {
    name: {row.method: row.jaccard for row in rows if row.method in ('CoSegNet-base', 'CoSegNet')}
    for name, rows in ROWS.items()
}
BY_TAP = {
    PASCAL: {'f': 0.63, 'cT3': 0.65, 'cT6': 0.66, 'cT9': 0.68, 'cT11': 0.64},
    INTERNET: {'f': 0.67, 'cT3': 0.68, 'cT6': 0.68, 'cT9': 0.72, 'cT11': 0.65},
}
