"""The server, as a user runs it, and the page in Chromium, as a visitor uses it."""

import io
import json
import os
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from in_browser import WIDTHS, check_page, chromium
from pictures_of_discs import disc, save
from PIL import Image
from programs import ROOT

pytest.importorskip('gradio', reason="needs Gradio: pip install 'cosegnet-jax[serve]'")
pytestmark = pytest.mark.slow

ONLY_THIS_MACHINE = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'
GROUPS = '#groups .tile'
WAIT_MS = 120_000  # on a busy machine
browser = chromium(ONLY_THIS_MACHINE)


def left(folder):
    """All files, and the folders of visitors."""
    return [str(path) for path in folder.rglob('*') if path.is_file() or 'sessions' in path.parent.name]


@pytest.fixture(scope='module')
def temporary(tmp_path_factory):
    return tmp_path_factory.mktemp('temporary')


@pytest.fixture(scope='module')
def address(run_folder, temporary):
    """Of a server whose temporary files are all in one folder; they are gone when it has ended."""
    env = {key: value for key, value in os.environ.items() if key != 'JAX_NUM_CPU_DEVICES'}
    command = [sys.executable, '-m', 'cosegnet_jax', 'serve', f'--model={run_folder}']
    flags = ['--max_photos=9', '--max_megapixels=1', '--threshold=0']
    with subprocess.Popen(
        [*command, *flags], cwd=ROOT, env={**env, 'TMPDIR': str(temporary)}, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            yield server.stdout.readline().split(': ')[0]
            server.terminate()
            assert server.wait(timeout=60) == 0
        finally:
            server.kill()
    assert left(temporary) == []


@pytest.fixture
def page(browser, address):
    """The page; what it asks for is all from its server."""
    asked = []
    with browser.new_page() as page:
        page.set_default_timeout(WAIT_MS)
        page.on('request', lambda request: asked.append(request.url))
        page.goto(address)
        yield page
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith((address, 'data:', 'blob:'))] == []


def drop(page, *paths):
    page.get_by_label('File upload').set_input_files(paths)


def report(page):
    return page.frame_locator('#report iframe')


def download(page):
    with page.expect_download() as begun:
        page.get_by_role('button', name='Download').click()
    assert begun.value.suggested_filename == 'cosegnet.zip'
    return zipfile.ZipFile(begun.value.path())


def picture(opened, name):
    return np.asarray(Image.open(io.BytesIO(opened.read(name))))


def test_photos_are_dropped_and_groups_masks_and_cutouts_taken_away(page, tmp_path, temporary):
    save(tmp_path, 'one.png', 'two 😀.png', 'other/one.png')
    (tmp_path / 'text.jpg').write_text('no photo at all')
    Image.new('1', (2000, 2000)).save(tmp_path / 'bomb.png')
    names = ['one.png', 'two 😀.png', 'other/one.png', 'text.jpg', 'bomb.png']
    drop(page, *(tmp_path / name for name in names))

    report(page).locator(GROUPS).first.wait_for()
    assert page.locator('#status').inner_text() == '3 photos were looked at.'
    shown = report(page).locator('.name').all_text_contents()  # the most alike first
    assert sorted(shown) == ['one (2).png', 'one.png', 'two 😀.png']
    reasons = page.locator('#unused li').all_inner_texts()
    assert [reason.split(': ')[0] for reason in reasons] == ['bomb.png', 'text.jpg']
    assert reasons[0].startswith('bomb.png: more than 1 megapixels, ')
    assert reasons[0].endswith('; make it smaller or remove it')  # visitors have no flags
    assert 'not an image that can be read' in reasons[1]
    assert str(temporary) not in ''.join(reasons)

    with download(page) as opened:
        for seed, name in enumerate(('one', 'two 😀', 'one (2)')):
            inside = picture(opened, f'masks/{name}.png') == 255
            cutout = picture(opened, f'cutouts/{name}.png')
            assert inside.shape == (40, 60)
            assert inside.any()
            np.testing.assert_array_equal(cutout[..., 3] >= 128, inside)
            np.testing.assert_array_equal(cutout[inside][:, :3], np.asarray(disc(seed))[inside])
        assert json.loads(opened.read('pairs.json'))['groups'] == [[0, 1, 2]]
        assert b'one (2).png' in opened.read('report.html')

    report(page).get_by_role('slider').press('End')  # to 1
    assert report(page).locator(GROUPS).count() == 0
    with download(page) as opened:
        assert json.loads(opened.read('pairs.json'))['outliers'] == [0, 1, 2]
        masks = [name for name in opened.namelist() if name.startswith('masks/')]
        assert len(masks) == 3
        assert not any(picture(opened, name).any() for name in masks)

    report(page).get_by_role('link', name='Probabilities').click()  # stays in the report
    assert report(page).locator('#matrix').is_visible()

    assert left(temporary)
    page.close()
    end = time.monotonic() + 20
    while left(temporary) and time.monotonic() < end:
        time.sleep(0.1)
    assert left(temporary) == []


def test_too_many_photos_are_refused_in_one_line_until_some_are_removed(page, tmp_path):
    save(tmp_path, *(f'{number}.png' for number in range(10)))
    drop(page, *sorted(tmp_path.iterdir()))
    page.get_by_text('10 photos, and 9 are taken at most: remove some').wait_for()
    assert page.locator('#report iframe').count() == 0
    assert page.get_by_role('button', name='Download').count() == 0
    page.get_by_label('Remove this file').first.click()
    report(page).locator(GROUPS).first.wait_for()
    shown = report(page).locator('.name').all_text_contents()
    assert sorted(shown) == [f'{number}.png' for number in range(1, 10)]


@WIDTHS
def test_drawings_can_be_tried_at_once_and_nothing_is_wrong_with_the_page(page, width):
    page.set_viewport_size({'width': width, 'height': 900})
    page.get_by_text('What the network knows').click()
    assert '1 images of spots' in page.locator('#knowledge').inner_text()
    check_page(page)

    page.get_by_role('button', name='Try it on').click()
    report(page).locator(GROUPS).first.wait_for()
    assert page.locator('#status').inner_text() == '9 photos were looked at.'
    frame = page.locator('#report iframe')
    inside = report(page).locator('body').evaluate('body => body.offsetHeight')
    assert inside > 900
    assert abs(frame.bounding_box()['height'] - inside) < 2  # no second scroll bar
    check_page(page)

    tile = report(page).locator('.tile').last
    tile.click()
    dialog = report(page).locator('#large')
    box = dialog.bounding_box()  # in the window
    assert box['y'] >= 0
    assert box['y'] + box['height'] <= 900
    report(page).get_by_role('button', name='Close').click()


def test_a_higher_mask_threshold_makes_smaller_masks(page):
    page.get_by_role('button', name='Try it on').click()
    shares = report(page).locator('.object')
    shares.first.wait_for()
    before = sum(shares_of(shares))
    page.get_by_role('slider', name='Masks').press('End')
    report(page).get_by_text('covers 0%').first.wait_for()
    assert sum(shares_of(shares)) < before


def shares_of(shares):
    return [int(text.split()[-1].strip('%')) for text in shares.all_text_contents()]
