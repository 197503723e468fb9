import base64
import dataclasses
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from from_arrays import predicted, score
from PIL import Image

from cosegnet_jax.evaluation import pair_samples
from cosegnet_jax.evaluation.predictions import PairMasks
from cosegnet_jax.evaluation.protocol import Protocol
from cosegnet_jax.evaluation.published import published_rows
from cosegnet_jax.reports.figures import pair_views
from cosegnet_jax.reports.pages.run_page import write_report

CURVES = [
    {'step': 10, 'loss': 2.0, 'loss_mask': 1.0},
    {'step': 20, 'loss': 1.5, 'loss_mask': 0.5},
    {'step': 20, 'validation_jaccard': 0.25},
]


class Page(HTMLParser):
    """All tags with their attributes, and all text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ''
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def write_evaluated(path, examples, masks, decisions, **options):
    """The report of an evaluation, and its results."""
    predictions = predicted(examples, masks, decisions)
    results = score(examples, predictions, Protocol(16))
    chosen = pair_samples.choose(examples, predictions, results.protocol, seed=0)
    pairs = pair_views.load(
        examples, chosen, lambda some: PairMasks(masks[some], decisions[tuple(some.T)]), threshold=0.5
    )
    write_report(path, title='Blobs', results=results, views=pairs, seed=0, **options)
    return path.read_text(encoding='utf-8'), results


@pytest.fixture
def write(examples, masks, decisions, tmp_path):
    def write(examples=examples, **options):
        return write_evaluated(tmp_path / 'deep' / 'report.html', examples, masks, decisions, **options)

    return write


def test_report_needs_nothing_beside_it(write):
    text, _ = write(curves=CURVES, published=published_rows('msrc'))
    page = Page(text)
    sources = [image['src'] for image in page.of('img')]
    assert len(sources) > 10
    assert all(re.match(r'data:image/(jpeg|svg\+xml);base64,', source) for source in sources)
    assert all(link['href'].startswith('#') for link in page.of('a'))
    assert not page.of('link') + page.of('script') + page.of('iframe')
    outside_images = re.sub(r'"data:[^"]*"', '', text)
    assert not re.search(r'https?:|url\(|@import|src="[^"]', outside_images)


def test_pictures_in_the_report_can_be_read(write):
    text, _ = write()
    for image in Page(text).of('img'):
        if image['src'].startswith('data:image/jpeg'):
            with Image.open(io.BytesIO(base64.b64decode(image['src'].split(',')[1]))) as picture:
                assert picture.size == (int(image['width']), int(image['height']))


def test_report_can_be_read_by_ear(write):
    page = Page(write(curves=CURVES)[0])
    assert page.of('html')[0]['lang'] == 'en'
    assert len(page.of('h1')) == 1
    assert all(image['alt'] for image in page.of('img'))
    assert all('scope' in cell for cell in page.of('th'))
    assert len(page.of('caption')) == len(page.of('table')) == 4
    ids = [attrs['id'] for _, attrs in page.tags if 'id' in attrs]
    assert len(ids) == len(set(ids))
    assert {link['href'][1:] for link in page.of('a')} == set(ids)


def test_headline_figures_are_the_results(write):
    text, results = write()
    page = Page(text)
    for value in (
        results.overall.jaccard, results.overall.jaccard_ungated, results.decision.accuracy,
        results.decision.auc, results.decision.average_precision, results.baselines['center_box'].jaccard,
        results.per_class['owl'].jaccard,
    ):  # fmt: skip
        assert f'{value:.3f}' in page.text
    assert f'{100 * results.overall.precision:.1f} %' in page.text
    assert 'Fewer than two images, left out: fox' in page.text
    assert 'protocol cosegnet' in page.text
    assert f'decided by{results.decided_by}' in page.text


def test_names_from_outside_are_escaped(examples, write):
    hostile = dataclasses.replace(
        examples,
        name='<u>set</u>',
        classes=('<i>&', 'dog', 'owl', '"fox"'),
        filenames=tuple(f'<b>"{i}.png' for i in range(len(examples))),
    )
    text, _ = write(examples=hostile)
    assert '<b>&quot;' not in text
    assert not re.search(r'<b>"|<i>|<u>', text)
    assert '<b>"' in Page(text).text
    assert any('<b>"' in image['alt'] for image in Page(text).of('img'))
    assert '<i>&' in Page(text).text
    assert '<u>set</u>: 19 images' in Page(text).text


def test_published_rows_and_curves_show_when_there_are_any(write):
    bare, full = Page(write()[0]), Page(write(curves=CURVES, published=published_rows('pascal_voc'))[0])
    assert 'CoSegNet-base' in full.text
    assert 'not a ranking' in full.text
    assert 'CoSegNet-base' not in bare.text
    assert 'not a ranking' not in bare.text
    assert any('Total loss: 2 at step 10, 1.5 at step 20.' in image['alt'] for image in full.of('img'))
    assert any('Jaccard, gated: 0.25 at step 20' in image['alt'] for image in full.of('img'))
    assert 'Training' not in bare.text


def test_wrong_decisions_are_marked_and_closed_gates_said(examples, masks, tmp_path):
    closed = np.zeros((len(examples), len(examples)), dtype=np.float32)
    page = Page(write_evaluated(tmp_path / 'report.html', examples, masks, closed)[0])
    strips = [image['alt'] for image in page.of('img') if 'jpeg' in image['src']]
    assert len(strips) == 2 * (3 + 3 + 4)  # positive at random, ranked, negative at random
    assert all('an empty box, because the decision closed the gate' in alt for alt in strips)
    assert len(page.of('strong')) == 3 + 3  # all the positive ones


def test_report_of_one_class_alone(examples, masks, decisions, tmp_path):
    owls = np.arange(13, 18)
    part, among = examples.subset(owls), decisions[np.ix_(owls, owls)]
    text, _ = write_evaluated(tmp_path / 'report.html', part, masks[owls], among)
    assert 'Pairs with nothing in common' not in text
    assert 'Best, median and worst pair' in text
