import html
import json
import re
import subprocess

import pytest
from report_pages import CHROMIUM

from cosegnet_jax.inference.pages.report_page import write_report


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
