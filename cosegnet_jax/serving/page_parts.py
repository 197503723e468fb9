"""Texts, styles and scripts of the page."""

from __future__ import annotations

import html
from collections.abc import Sequence

from cosegnet_jax.export import model_card
from cosegnet_jax.reports.pages import html_page


def unused(skipped: Sequence[dict[str, str]]) -> str:
    """HTML that lists photos that cannot be used, each with the reason; '' where there are none."""
    rows = ''.join(
        f'<li><bdi>{html.escape(one["name"])}</bdi>: {html.escape(one["reason"])}</li>' for one in skipped
    )
    return rows and f'<h2>Not used</h2><ul>{rows}</ul>'


def framed(report: str) -> str:
    """HTML of a frame that is as tall as the report in it."""
    # Links inside the report would else be taken for links of the page around it.
    report = report.replace('<head>', '<head><base href="about:srcdoc">', 1)
    return (
        f'<iframe title="Groups and masks" srcdoc="{html.escape(report)}" onload="{html.escape(_AS_TALL)}">'
        '</iframe>'
    )


def knowledge(card: str) -> str:
    """HTML that says what a network has learned from and how well it does, from the tables of its card."""
    (_, *facts), *others = model_card.tables(card)
    told = [row for row in facts if row[0] in _FACTS]
    bodies = [html_page.table('The network', ('Property', 'Value'), told)]
    for heads, *rows in others:
        bodies += [html_page.table('Its scores', heads, rows), _SCORES]
    return f'<details><summary>What the network knows</summary>{"".join(bodies)}</details>'


ABOUT = """# Which of these photos show the same thing, and where is it?

Drop photos below: at most {bounds}. They, and what is found in them, are deleted when you close this page."""

_FACTS = ('trained on', 'classes in training', 'photos', 'parameters')  # rows of a card that visitors read

_SCORES = """<p>J is the overlap of mask and object, divided by their union: 1 is perfect. P is the
percentage of right pixels. A mask counts as empty where the network says that two photos share nothing,
unless the column says ungated. AUC measures that decision.</p>"""

# The slider is that of the report.
AT_THE_SLIDER = """(photos, threshold, masks) => {
  const report = document.querySelector('#report iframe')?.contentDocument;
  return [photos, Number(report?.getElementById('threshold-text')?.value || threshold), masks];
}"""

DOWNLOAD = """(file) => {
  Object.assign(document.createElement('a'), { href: file.url, download: file.orig_name }).click();
}"""

_AS_TALL = """
const body = this.contentDocument.body;
new ResizeObserver(() => { this.style.height = `${body.offsetHeight}px`; }).observe(body);
"""

STYLE = """
#report .html-container { padding: 0; }
#report iframe { display: block; width: 100%; min-height: 20rem; border: 0; }
#photos .download-link { display: none; } /* what is uploaded can be looked at, and not downloaded */
/* Gradio's own are too faint to be read by all; and its button to add photos holds another control. */
#photos .or, #masks :is(.min_value, .max_value) { color: #4b5563; }
#photos .icon-button[aria-haspopup=false][title="common.upload"] { display: none; }
#knowledge summary { cursor: pointer; padding: .5rem 0; }
#knowledge table { margin: .5rem 0 1rem; border-collapse: collapse; }
#knowledge .wide { overflow-x: auto; }
#knowledge :is(table, thead, tbody, tr, th, td) { border: 0; }
#knowledge tr { border-bottom: 1px solid #e5e7eb; }
#knowledge caption { text-align: left; font-weight: 600; }
#knowledge :is(th, td) { padding: .25rem 1rem .25rem 0; text-align: left; vertical-align: top; }
#knowledge :is(th, td) { font-weight: 400; }
@media (pointer: coarse) { #examples { min-height: 2.75rem; } }
"""
