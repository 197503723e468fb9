import re

import numpy as np
import pytest
from PIL import Image
from scipy import sparse

from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.inference.pages import overview_page


@pytest.fixture
def write(tmp_path):
    """The page of photos in groups of some sizes, and outliers."""

    def write(sizes, outliers):
        ends = np.cumsum(sizes).tolist()
        groups = [list(range(end - size, end)) for size, end in zip(sizes, ends, strict=True)]
        count = ends[-1] + outliers
        found = CoSegmentation(
            names=tuple(f'<{number}>.jpg' for number in range(count)),
            masks=[np.ones((2, 3), bool)] * count,
            soft_masks=[np.ones((2, 3), np.float32)] * count,
            probabilities=sparse.csr_array((count, count), dtype=np.float32),
            groups=groups,
            outliers=list(range(ends[-1], count)),
            embeddings=np.zeros((count, 64), np.float32),
            photos=[Image.new('RGB', (3, 2))] * count,
        )
        path = tmp_path / 'report.html'
        overview_page.write_overview(path, found, threshold=0.437, title='Many & <more>')
        return path.read_text(encoding='utf-8')

    return write


def test_all_is_counted_and_some_is_shown(write):
    page = write([20, 3], 60)
    assert 'groups: 2; outliers: 60; threshold: 0.437' in page
    assert re.findall(r'Group (\d+) <small>(.*?)</small>', page) == [
        ('1', '20 photo(s), 12 of them shown'),
        ('2', '3 photo(s)'),
    ]
    shown = [*range(12), *range(20, 23), *range(23, 73)]
    assert re.findall(r'class="name" title="&lt;(\d+)&gt;.jpg"', page) == [str(number) for number in shown]


def test_of_many_groups_the_largest_are_shown(write):
    page = write([3] * 101, 0)
    assert page.count('<h3') == 100
    assert 'the 100 largest groups' in page


def test_page_needs_nothing_beside_it_and_names_are_text(write):
    page = write([2], 1)
    assert 'Many &amp; &lt;more&gt;' in page
    assert not re.search(r'https?:|@import|url\((?!data:)|\bfetch\(|\bimport\b|<link|<0>', page)
    ids = re.findall(r'\bid="?([\w-]+)', page)
    assert len(ids) == len(set(ids))
