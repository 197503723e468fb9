"""The report as a person uses it, on a telephone and on a desk."""

import shutil

import pytest
from test_report_page import FOUR, found

from cosegnet_jax.inference.pages.report_page import write_report

CHROMIUM = shutil.which('chromium')
sync_api = pytest.importorskip('playwright.sync_api', reason='needs Playwright, which drives the browser')
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason='needs Chromium on the PATH')


@pytest.fixture(scope='module')
def browser():
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM)


@pytest.fixture(params=[390, 1300], ids=['telephone', 'desk'])
def page(request, browser, tmp_path):
    """A report of four photos, in a window of a width."""
    write_report(tmp_path / 'report.html', found(FOUR), threshold=0.5, title='Four photos')
    with browser.new_page(viewport={'width': request.param, 'height': 900}) as page:
        errors = []
        page.on('pageerror', lambda error: errors.append(str(error)))
        page.goto((tmp_path / 'report.html').as_uri())
        yield page
        assert errors == []


def test_nothing_is_wider_than_the_window(page):
    assert page.evaluate('document.documentElement.scrollWidth') <= page.viewport_size['width']


def test_a_page_that_is_opened_again_is_as_it_was_left(page):
    page.locator('.tile').filter(has_text='3.jpg').click()
    page.get_by_label('Move this photo').select_option('none')
    page.get_by_label('Name of group 1').fill('Cows')
    page.get_by_label('Name of group 1').press('Tab')
    page.reload()
    assert page.locator('#outliers .name').all_inner_texts() == ['2.jpg', '3.jpg']
    assert page.locator('#groups h3').inner_text().startswith('Cows ')
    page.get_by_role('button', name='Undo').click()
    assert page.locator('#outliers .name').count() == 0


def test_there_is_nothing_that_axe_objects_to(page):
    axe = pytest.importorskip('axe_playwright_python.sync_playwright', reason='needs axe-playwright-python')
    for place in ('page', 'dialog'):
        if place == 'dialog':
            page.locator('.tile').first.click()
        response = axe.Axe().run(page).response
        assert [violation['id'] for violation in response['violations']] == [], place
