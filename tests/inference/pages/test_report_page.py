import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from report_pages import FOUR, ODD_NAMES, found

from cosegnet_jax.inference.pages import report_page as page


class Page(HTMLParser):
    """All tags with their attributes, and the text of what has the class `name`."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.names = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][1].get('class') == 'name' and data.strip():
            self.names.append(data)

    def of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def test_needs_nothing_beside_it(write):
    text = write(found(FOUR))
    page = Page(text)
    assert all(re.fullmatch(r'data:image/jpeg;base64,[\w+/=]+', image['src']) for image in page.of('img'))
    assert all(link['href'].startswith('#') for link in page.of('a'))
    assert not page.of('link') + page.of('iframe')
    assert not any('src' in script for script in page.of('script'))
    assert not re.search(r'https?:|@import|url\((?!data:)|\bfetch\(|\bimport\b', text)


def test_file_names_are_text(write):
    page = Page(write(found(FOUR, ODD_NAMES)))
    assert page.names == list(ODD_NAMES)
    assert len(page.of('img')) == 4
    assert len(page.of('script')) == 2


def test_file_name_that_is_not_unicode_is_shown_as_far_as_it_goes(write):
    page = Page(write(found(FOUR, ('caf\udce9.jpg', 'b', 'c', 'd'))))
    assert page.names == ['caf?.jpg', 'b', 'c', 'd']


def test_everything_that_takes_input_has_a_name_to_read_aloud(write):
    page = Page(write(found(FOUR)))
    labels = {label.get('for') for label in page.of('label')}
    assert all(some['id'] in labels for some in page.of('input') if some['type'] == 'range')
    assert all(canvas['aria-label'] for canvas in page.of('canvas'))
    ids = [attrs['id'] for _, attrs in page.tags if 'id' in attrs]
    assert len(ids) == len(set(ids))
    assert all(attrs['aria-describedby'] in ids for _, attrs in page.tags if 'aria-describedby' in attrs)
    assert [attrs['role'] for _, attrs in page.tags if attrs.get('id') == 'status'] == ['status']


@pytest.mark.parametrize('size', [(600, 450), (300, 900)])
def test_photo_and_mask_are_small_and_fit(write, size):
    page = Page(write(found(FOUR, size=size)))
    assert len(page.of('img')) == 4
    tiles = [button for button in page.of('button') if button.get('class') == 'tile']
    for image, tile in zip(page.of('img'), tiles, strict=True):
        photo = Image.open(io.BytesIO(base64.b64decode(image['src'].split(',')[1])))
        mask = Image.open(io.BytesIO(base64.b64decode(re.search(r'base64,([^)]+)', tile['style'])[1])))
        opaque = np.asarray(mask.convert('RGBA'))[..., 3]
        half = photo.width // 2
        assert max(photo.size) == min(640, max(size))
        assert abs(photo.width / photo.height - size[0] / size[1]) < 0.01
        assert mask.size == photo.size
        assert (opaque[:, : half - 1] == 255).all()
        assert (opaque[:, half + 1 :] == 0).all()


@pytest.mark.slow
def test_a_thousand_large_photos_take_less_than_40_megabytes(write, monkeypatch):
    monkeypatch.setattr(page, 'side_of', lambda count: page.SMALLEST)
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)  # nothing is harder to encode
    few = found(FOUR)
    few.photos[:] = [Image.fromarray(noise)] * 4
    assert (len(write(few)) - len(write(found(FOUR[:2, :2])))) / 4 < 36_000
