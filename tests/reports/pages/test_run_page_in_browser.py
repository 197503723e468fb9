"""The report of an evaluation on a telephone and on a desk."""

from in_browser import WIDTHS, check_page, chromium
from test_run_page import CURVES, write_evaluated

browser = chromium()


@WIDTHS
def test_all_of_it_can_be_seen(width, browser, examples, masks, decisions, tmp_path):
    write_evaluated(tmp_path / 'report.html', examples, masks, decisions, curves=CURVES)
    with browser.new_page(viewport={'width': width, 'height': 900}) as page:
        page.goto((tmp_path / 'report.html').as_uri())
        check_page(page)
        charts = page.locator('.chart img').all()
        assert len(charts) > 1
        assert all(chart.bounding_box()['width'] >= 600 for chart in charts)  # scrolled on a telephone
