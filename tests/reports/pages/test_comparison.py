import re

import numpy as np
import pytest
from finished_runs import document, write
from test_run_page import Page

from cosegnet_jax.reports.figures import figure_data
from cosegnet_jax.reports.figures.pair_views import ImageView, PairView, PairViews
from cosegnet_jax.reports.pages.comparison import write_pages


def pair(shares):
    side = np.zeros((8, 8, 3), np.uint8)
    images = tuple(ImageView(name, 'cat', side, side[..., 0] > 0, side[..., 0] > 0) for name in 'ab')
    return PairView(images, 0.7, True, shares)


def write_runs(folder):
    """Two splits of CoSegNet scored on two sets, and one of a network that no table of the paper has."""

    def keep(name, made):
        file = write(folder / name, made)
        views = PairViews([pair(True)], {}, [pair(False)])
        embedding = np.random.default_rng(0).normal(size=(4, 64)).astype(np.float32)
        figure_data.save(file.with_suffix('.npz'), views, embedding, np.zeros((4, 1), int), ('cat',))

    for split, jaccard in enumerate([0.4, 0.5]):
        keep(f'split{split}', document(split=split, jaccard=jaccard))
    keep('split0', document('msrc', 'all', jaccard=0.3))
    keep('shapes', document('<shapes>', 'train', trained_on='<shapes>'))


@pytest.fixture(scope='module')
def out(tmp_path_factory):
    """A folder with both pages."""
    folder = tmp_path_factory.mktemp('pages')
    write_runs(folder / 'runs')
    said = write_pages([folder / 'runs'], folder / 'out')
    assert said.startswith('3 of 4 evaluations are in the tables')
    return folder / 'out'


@pytest.fixture(scope='module')
def pages(out):
    """Markdown and HTML."""
    return [(out / name).read_text(encoding='utf-8') for name in ('tables.md', 'tables.html')]


def test_both_pages_hold_all_tables_with_their_notes(pages):
    markdown, page = pages
    for number in range(1, 7):
        assert f'\n## Table {number}: ' in markdown
        assert f'>Table {number}: ' in page
    assert '| CoSegNet, gated | 80.0 ± 0.0 | 0.450 ± 0.071 | 0.700' in markdown
    assert '>0.450 ±\xa00.071</td>' in page
    assert '| DOCS | - | - | - | - | - | this project: no run |' in markdown
    for text in (markdown, Page(page).text):
        assert 'Protocol 1: cosegnet, on the test part of pascal_voc10; ' in text
        assert 'not a ranking' in text
    blocks = re.findall(r'(?:^\|.*\n)+', markdown, flags=re.MULTILINE)
    assert len(blocks) == 6
    assert all(len({line.count(' | ') for line in block.splitlines()}) == 1 for block in blocks)


def test_recipes_can_be_trained_again(pages):
    for text in (pages[0], Page(pages[1]).text):
        assert '--config.data.name=pascal_voc10 --config.train.steps=100' in text
        network = 'CoSegNet, --config.model.name=cosegnet --config.model.tap=cT9'
        assert f'{network}: split 0 of seed 0, split 1 of seed 0' in text


def test_what_is_in_no_table_is_listed(pages):
    for text in (pages[0], Page(pages[1]).text):
        rest = text.split('Evaluations that are in no table')[-1]
        assert 'CoSegNet (cT9) trained on <shapes>, train of <shapes>' in rest
        assert 'pascal_voc10' not in rest
    assert '<shapes>' not in pages[1]


def test_html_page_needs_nothing_beside_it_and_can_be_read_by_ear(pages):
    page = Page(pages[1])
    images = page.of('img')
    assert images
    assert all(image['src'].startswith('data:image/png;base64,') and image['alt'] for image in images)
    assert not page.of('link') + page.of('script') + page.of('iframe')
    assert not re.search(r'url\(|@import|src="[^"]', re.sub(r'"data:[^"]*"', '', pages[1]))
    assert len(page.of('h1')) == 1
    assert len(page.of('caption')) == len(page.of('table')) == 6
    ids = [attrs['id'] for _, attrs in page.tags if 'id' in attrs]
    assert {link['href'][1:] for link in page.of('a')} == set(ids)


def test_markdown_shows_the_pictures_beside_it(pages, out):
    views = re.findall(r'!\[[^\]]+\]\(([^)]+)\)', pages[0])
    assert len(views) == len(Page(pages[1]).of('img'))
    assert all((out / name).is_file() for name in views)


def test_runs_without_the_photos_of_their_figures_are_in_the_tables_and_are_named(pages, tmp_path):
    """As they are when only small files are copied from another machine."""
    write_runs(tmp_path / 'runs')
    for file in (tmp_path / 'runs').glob('*/eval/*.npz'):
        file.unlink()
    assert write_pages([tmp_path / 'runs'], tmp_path).startswith('3 of 4 evaluations are in the tables')
    without = [(tmp_path / name).read_text(encoding='utf-8') for name in ('tables.md', 'tables.html')]
    assert '| CoSegNet, gated | 80.0 ± 0.0 | 0.450 ± 0.071 | 0.700' in without[0]
    assert [file.name for file in tmp_path.glob('*.png')] == ['decisions.png']
    for text, complete in zip((without[0], Page(without[1]).text), pages, strict=True):
        assert 'Evaluations without photos to show' not in complete
        rest = text.split('Evaluations without photos to show')[-1]
        for name in ('split0', 'split1', 'shapes'):
            assert f'{tmp_path}/runs/{name}/eval/' in rest
