"""The report as a person uses it, on a telephone and on a desk."""

import pytest
from in_browser import check_page, chromium
from test_report_page import FOUR, found

from cosegnet_jax.inference.pages.report_page import write_report

browser = chromium()


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


def test_all_of_it_can_be_seen_and_there_is_nothing_that_axe_objects_to(page):
    check_page(page)
    page.locator('.tile').first.click()
    check_page(page)


def test_a_tap_reads_a_cell_of_the_matrix(page):
    page.locator('#matrix').scroll_into_view_if_needed()
    box = page.locator('#matrix').bounding_box()
    page.locator('#matrix').dispatch_event('pointerdown', {'offsetX': 5, 'offsetY': 5})
    assert box['width'] > 100
    assert page.locator('#readout').inner_text() != ''
