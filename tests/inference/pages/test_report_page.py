import base64
import html
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pytest
from PIL import Image

from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.inference.grouping import group
from cosegnet_jax.inference.pages import report_page as page
from cosegnet_jax.inference.pages.report_page import write_report

CLUSTERING = resources.files('cosegnet_jax.inference.pages').joinpath('clustering.js').read_text()
CHROMIUM = shutil.which('chromium')
in_browser = pytest.mark.skipif(CHROMIUM is None, reason='needs Chromium on the PATH')

ODD_NAMES = (
    '<script>window.broken = 1</script>.jpg',
    '"><img src=x onerror="window.broken = 1">.jpg',
    "it's & {name} </script>.jpg",
    '🐈 cat.jpg',
)


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


def symmetric(upper):
    probabilities = np.triu(upper, 1)
    return (probabilities + probabilities.T + np.eye(len(upper))).astype(np.float32)


def found(probabilities, names=None, size=(12, 9)):
    """What was found in photos of one color each, with the object on their left half."""
    n = len(probabilities)
    soft = np.zeros(size[::-1], np.float32)
    soft[:, : size[0] // 2] = 1
    groups, outliers = group(probabilities, 0.5)
    return CoSegmentation(
        names=names or tuple(f'{i}.jpg' for i in range(n)),
        masks=[soft.astype(bool) & (i not in outliers) for i in range(n)],
        soft_masks=[soft] * n,
        probabilities=probabilities,
        groups=groups,
        outliers=outliers,
        embeddings=np.zeros((n, 64), np.float32),
        photos=[Image.new('RGB', size, (40 * (i % 6), 90, 200)) for i in range(n)],
    )


@pytest.fixture
def write(tmp_path):
    def write(cosegmentation, threshold=0.5):
        file = tmp_path / 'deep' / 'report.html'
        write_report(file, cosegmentation, threshold=threshold, title='Ours & <yours>')
        return file.read_text(encoding='utf-8')

    return write


@pytest.fixture
def run(tmp_path):
    """Opens a page in Chromium; returns what the script in its `body` returns."""

    def run(page, body, fragment=''):
        script = f"""<script type="module">
            const errors = [];
            let value = null;
            const drive = () => {{ {body} }};
            try {{ value = drive(); }} catch (error) {{ errors.push(String(error)); }}
            const result = document.createElement('pre');
            result.textContent = JSON.stringify({{ value, errors }});
            document.documentElement.replaceChildren(result);
            </script>"""
        file = tmp_path / 'driven.html'
        file.write_text(page.replace('</body>', f'{script}</body>'), encoding='utf-8')
        flags = ['--headless', '--no-sandbox', '--disable-gpu', f'--user-data-dir={tmp_path}/profile']
        done = subprocess.run(
            [CHROMIUM, *flags, '--dump-dom', f'{file.as_uri()}#{fragment}'],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        result = json.loads(html.unescape(re.search(r'<pre>(.*?)</pre>', done.stdout, re.DOTALL)[1]))
        assert not result['errors']
        return result['value']

    return run


FOUR = symmetric(np.array([[1, 0.9, 0.2, 0.1], [0, 1, 0.3, 0.1], [0, 0, 1, 0.6], [0, 0, 0, 1]]))

SHOWN = """
    const members = (list) => [...list.querySelectorAll('.name')].map((name) => name.textContent);
    const shown = () => ({
      groups: [...document.querySelectorAll('#groups .tiles')].map(members),
      outliers: members(document.getElementById('outliers')),
      status: document.querySelector('[role=status]').textContent,
      threshold: document.getElementById('threshold-text').textContent,
      nulls: [...document.querySelectorAll('.null')].filter((some) => some.checkVisibility()).length,
    });
"""


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


def distinct(rng, n):
    return rng.random((n, n))


def tied(rng, n):
    return rng.random((n, n)).round(1)


def certain(rng, n):
    return rng.random((n, n)) < 0.7


def clustered(rng, n):
    kinds = rng.integers(0, 4, n)
    return np.where(kinds == kinds[:, None], rng.beta(6, 2, (n, n)), rng.beta(2, 6, (n, n)))


@in_browser
def test_groups_are_those_of_scipy(run):
    rng = np.random.default_rng(0)
    matrices = [
        symmetric(draw(rng, n))
        for draw in (distinct, tied, certain, clustered)
        for n in (2, 3, 9, 40, 40, 40)
    ]
    thresholds = [0.0, 0.1, 0.25, 0.3, 0.4, 0.437, 0.5, 0.6, 0.7, 0.9, 1.0]
    cases = [{'n': len(p), 'pairs': p[np.triu_indices(len(p), 1)].tolist()} for p in matrices]
    body = f"""
        return {json.dumps(cases)}.map(({{ n, pairs }}) => {{
          const merges = averageLinkage(Float32Array.from(pairs), n);
          return {thresholds}.map((threshold) => cut(merges, n, threshold));
        }});"""
    answers = run('<body></body>', CLUSTERING + body)
    expected = [[group(p, threshold)._asdict() for threshold in thresholds] for p in matrices]
    assert answers == expected
    assert len({len(some['groups']) for case in expected for some in case}) > 5


@in_browser
def test_thousand_photos_are_grouped_again_in_less_than_a_second(write, run):
    body = """
        const start = performance.now();
        averageLinkage(Float32Array.from({ length: 499500 }, Math.random), 1000); // as when the page opens
        const slider = document.getElementById('threshold');
        slider.value = 0.6;
        slider.dispatchEvent(new Event('input'));
        const time = performance.now() - start;
        return [document.querySelectorAll('#groups .tile, #outliers .tile').length, time];"""
    probabilities = symmetric(clustered(np.random.default_rng(0), 1000))
    count, milliseconds = run(write(found(probabilities)), CLUSTERING + body)
    assert count == 1000
    assert milliseconds < 1000


@in_browser
def test_threshold_regroups_the_page(write, run):
    first, second = run(
        write(found(FOUR), threshold=0.437),
        SHOWN
        + """
        const before = shown();
        const slider = document.getElementById('threshold');
        slider.value = 0.7;
        slider.dispatchEvent(new Event('input'));
        return [before, shown()];""",
    )
    assert first == {
        'groups': [['0.jpg', '1.jpg'], ['2.jpg', '3.jpg']],
        'outliers': [],
        'status': '2 groups, 0 photos in none',
        'threshold': '0.437',
        'nulls': 0,
    }
    assert second == {
        'groups': [['0.jpg', '1.jpg']],
        'outliers': ['2.jpg', '3.jpg'],
        'status': '1 group, 2 photos in none',
        'threshold': '0.7',
        'nulls': 2,
    }


@in_browser
def test_address_may_give_the_threshold(write, run):
    at_first, too_high, in_the_end = run(
        write(found(FOUR)),
        SHOWN
        + """
        const seen = [shown().status];
        for (const fragment of ['threshold=1.5', 'threshold=0.1']) {
          location.hash = fragment;
          dispatchEvent(new Event('hashchange')); // the browser's own comes later
          seen.push(shown().status);
        }
        return seen;""",
        fragment='threshold=0.7',
    )
    assert at_first == too_high == '1 group, 2 photos in none'
    assert in_the_end == '1 group, 0 photos in none'


LOOKS = """
    const looks = (place) => {
      const [image, overlay] = place.querySelectorAll('img, .overlay');
      const [gray, cut] = [getComputedStyle(image).filter, getComputedStyle(image).maskImage];
      const marked = getComputedStyle(overlay).backgroundColor !== 'rgba(0, 0, 0, 0)';
      if (getComputedStyle(image).visibility === 'hidden') return 'nothing';
      if (cut !== 'none') return 'cut-out';
      return gray === 'none' ? 'photo' : marked ? 'mask' : 'gray';
    };
    const firsts = ['#groups .tile', '#outliers .tile'].map((some) => document.querySelector(some));
"""


@in_browser
def test_photos_show_their_masks_and_their_cut_outs(write, run):
    seen = run(
        write(found(FOUR), threshold=0.7),
        LOOKS
        + """
        const both = () => firsts.map(looks);
        const seen = [both()];
        firsts[0].focus({ focusVisible: true });
        seen.push(both());
        firsts[0].blur();
        for (const view of ['mask', 'cut-out', 'photo']) {
          document.querySelector(`[name=view][value=${view}]`).click();
          seen.push(both());
        }
        return seen;""",
    )
    assert seen == [
        ['photo', 'photo'],
        ['mask', 'photo'],
        ['mask', 'gray'],
        ['cut-out', 'nothing'],
        ['photo', 'photo'],
    ]


@in_browser
def test_a_click_enlarges_a_photo_its_mask_and_its_cut_out(write, run):
    seen = run(
        write(found(FOUR), threshold=0.7),
        LOOKS
        + """
        const large = document.getElementById('large');
        const seen = [large.open];
        for (const tile of firsts) {
          tile.click();
          for (const view of ['photo', 'mask', 'cut-out']) {
            document.querySelector(`[name=large-view][value=${view}]`).click();
            seen.push(`${large.querySelector('h2').textContent} ${looks(large)}`);
          }
        }
        document.getElementById('before').click();
        seen.push(large.querySelector('h2').textContent);
        document.getElementById('close').click();
        return [...seen, large.open];""",
    )
    assert seen == [
        False,
        '0.jpg photo', '0.jpg mask', '0.jpg cut-out',
        '2.jpg photo', '2.jpg gray', '2.jpg nothing',
        '1.jpg',
        False,
    ]  # fmt: skip


EDIT = (
    SHOWN
    + """
    const put = (photo, value) => {
      [...document.querySelectorAll('.tile')].find((tile) => tile.textContent.includes(photo)).click();
      const select = document.getElementById('move');
      const option = [...select.options].find((one) => one.textContent.includes(value));
      select.value = option.value;
      select.dispatchEvent(new Event('change'));
    };
    const groups = () => [shown().groups, shown().outliers];
"""
)


@in_browser
def test_photos_can_be_moved_and_set_aside_and_that_is_undone(write, run):
    seen = run(
        write(found(FOUR)),
        EDIT
        + """
        const seen = [];
        for (const [photo, to] of [['3.jpg', 'set aside'], ['1.jpg', 'set aside'], ['3.jpg', 'with 1.jpg']]) {
          put(photo, to);
          seen.push(groups());
        }
        for (let i = 0; i < 3; i++) document.getElementById('undo').click();
        return [...seen, groups(), document.getElementById('undo').disabled];""",
    )
    assert seen == [
        [[['0.jpg', '1.jpg']], ['2.jpg', '3.jpg']],
        [[], ['0.jpg', '1.jpg', '2.jpg', '3.jpg']],
        [[['1.jpg', '3.jpg']], ['0.jpg', '2.jpg']],
        [[['0.jpg', '1.jpg'], ['2.jpg', '3.jpg']], []],
        True,
    ]


@in_browser
def test_photos_most_like_the_others_come_first(write, run):
    probabilities = symmetric(np.array([[1, 0.6, 0.7], [0, 1, 0.9], [0, 0, 1]]))
    groups = run(write(found(probabilities)), SHOWN + 'return shown().groups;')
    assert groups == [['2.jpg', '1.jpg', '0.jpg']]


@in_browser
def test_the_command_that_writes_the_files_so_is_shown_where_they_are_not(tmp_path, run):
    write_report(
        tmp_path / 'a.html', found(FOUR), threshold=0.5, title='', command="cosegnet predict 'my photos'"
    )
    seen = run(
        (tmp_path / 'a.html').read_text(),
        """
        const slider = document.getElementById('threshold');
        const said = () => [document.getElementById('as-files').hidden,
          document.getElementById('command').textContent];
        const seen = [said()[0]];
        for (const value of [0.7, 0.5]) {
          slider.value = value;
          slider.dispatchEvent(new Event('input'));
          seen.push(said());
        }
        return seen;""",
    )
    assert seen[:2] == [True, [False, "cosegnet predict 'my photos' --threshold=0.7"]]
    assert seen[2][0]


@in_browser
def test_matrix_can_be_read_without_seeing_it(write, run):
    mixed = FOUR[[0, 2, 1, 3]][:, [0, 2, 1, 3]]  # the order of the groups is not that of the photos
    cells, readout, light, dark = run(
        write(found(mixed)),
        """
        const matrix = document.getElementById('matrix');
        const press = (key) => matrix.dispatchEvent(new KeyboardEvent('keydown', { key }));
        const rows = [...document.querySelectorAll('#table tr')];
        const cells = rows.map((row) => [...row.cells].map((cell) => cell.textContent));
        const level = (x, y) => matrix.getContext('2d').getImageData(x, y, 1, 1).data[0];
        const side = matrix.width / 4;
        const colors = [level(3.5 * side, side / 2), level(1.5 * side, side / 2)];
        press('ArrowDown');
        press('ArrowRight');
        return [cells, document.getElementById('readout').textContent, ...colors];""",
    )
    assert cells == [
        ['', '0.jpg', '2.jpg', '1.jpg', '3.jpg'],
        ['0.jpg', '', '0.90', '0.20', '0.10'],
        ['2.jpg', '0.90', '', '0.30', '0.10'],
        ['1.jpg', '0.20', '0.30', '', '0.60'],
        ['3.jpg', '0.10', '0.10', '0.60', ''],
    ]
    assert readout == '0.jpg and 2.jpg: 0.90'
    assert light > 200 > 60 > dark


@in_browser
def test_odd_file_names_do_nothing_in_the_browser(write, run):
    names, broken = run(
        write(found(FOUR, ODD_NAMES)), f'{SHOWN} return [shown().groups.flat(), window.broken ?? null];'
    )
    assert sorted(names) == sorted(ODD_NAMES)
    assert broken is None
