"""Pages in Chromium; tests that import this are skipped where it, Playwright or axe is missing."""

import shutil

import pytest

sync_api = pytest.importorskip('playwright.sync_api', reason='needs Playwright, which drives the browser')
axe = pytest.importorskip('axe_playwright_python.sync_playwright', reason='needs axe-playwright-python')
CHROMIUM = shutil.which('chromium')
if CHROMIUM is None:
    pytest.skip('needs Chromium on the PATH: make chromium', allow_module_level=True)

WIDTHS = pytest.mark.parametrize('width', [390, 1300], ids=['telephone', 'desk'])


def chromium(*arguments):
    """A fixture that starts the browser."""

    @pytest.fixture(scope='module')
    def browser():
        with sync_api.sync_playwright() as playwright:
            yield playwright.chromium.launch(executable_path=CHROMIUM, args=list(arguments))

    return browser


def check_page(page):
    """Nothing is wider than the window, and axe objects to nothing."""
    assert page.evaluate('document.documentElement.scrollWidth') <= page.viewport_size['width']
    violations = axe.Axe().run(page).response['violations']
    found = [(one['id'], one['nodes'][0]['html'][:200]) for one in violations]
    assert found == [], found
