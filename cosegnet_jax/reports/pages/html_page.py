"""What the HTML pages of this project share: their frame, their style, tables and embedded images."""

from __future__ import annotations

import base64
import html
from collections.abc import Collection, Iterable, Sequence


def page(title: str, summary: str, sections: Iterable[tuple[str, str]], style: str = '') -> str:
    """Lay out a page that needs nothing beside it.

    Args:
        title: heading of the page, as plain text.
        summary: one line below it, as plain text.
        sections: heading, as plain text, and body, as HTML, of each; one with an empty body is left out.
        style: CSS of this page alone.
    """
    sections = [(html.escape(heading), body) for heading, body in sections if body]
    links = ''.join(f'<li><a href="#s{i}">{heading}</a></li>' for i, (heading, _) in enumerate(sections))
    bodies = ''.join(
        f'<section aria-labelledby="s{i}"><h2 id="s{i}" tabindex="-1">{heading}</h2>{body}</section>\n'
        for i, (heading, body) in enumerate(sections)
    )
    return _PAGE.format(
        title=html.escape(title),
        summary=html.escape(summary),
        links=links,
        sections=bodies,
        style=_STYLE + style,
    )


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    marked: Collection[int] = (),
    label: str = '',
) -> str:
    """Lay out a table of plain text, which can be scrolled sideways where the window is too narrow.

    Args:
        caption: above it.
        columns: their headings.
        rows: cells; the first one of a row names it.
        marked: numbers of rows that stand out.
        label: what it is called among the other tables of a page; the caption if not given.
    """
    head = ''.join(f'<th scope="col">{html.escape(name)}</th>' for name in columns)
    body = ''.join(
        f'<tr{_MARK * (i in marked)}><th scope="row">{html.escape(first)}</th>'
        f'{"".join(f"<td>{html.escape(cell)}</td>" for cell in rest)}</tr>'
        for i, (first, *rest) in enumerate(rows)
    )
    return scrollable(
        f'<table><caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f'<tbody>{body}</tbody></table>',
        label or caption,
    )


def scrollable(body: str, label: str) -> str:
    """Keep HTML that may be wider than a telephone in a box that can be scrolled, by keys too."""
    return f'<div class="wide" tabindex="0" role="region" aria-label="{html.escape(label)}">{body}</div>\n'


def image(uri: str, alt: str, width: int | None = None, height: int | None = None) -> str:
    """Show an image, described in words for those who do not see it; sizes are in pixels."""
    size = f' width="{width}" height="{height}"' if width else ''
    return f'<img src="{uri}" alt="{html.escape(alt)}"{size}>'


def data_uri(kind: str, content: bytes) -> str:
    """Embed a file in the page; `kind` is its media type, such as 'image/png'."""
    return f'data:{kind};base64,{base64.b64encode(content).decode()}'


_MARK = ' class="marked"'

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><h1>{title}</h1><p>{summary}</p><nav aria-label="Sections"><ul>{links}</ul></nav></header>
<main>
{sections}</main>
</body>
</html>
"""

_STYLE = """
:root { color-scheme: light; --ink: #1f2937; --soft: #565f6d; --line: #e5e7eb; --blue: #1d4ed8; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 70rem; color: var(--ink); background: #fff;
  font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 3rem 0 .75rem; font-size: 1.3rem; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
p { max-width: 48rem; margin: .4rem 0 1rem; }
header p, small, .note { color: var(--soft); }
small, .note { font-size: .875rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0; padding: 0; list-style: none; }
a { color: var(--blue); }
a:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; font-size: .875rem; color: var(--soft); }
th, td { padding: .35rem 1.25rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
thead th { font-size: .8125rem; color: var(--soft); }
tbody th { font-weight: 400; }
img { max-width: 100%; height: auto; display: block; }
.wide { overflow-x: auto; margin-bottom: .75rem; }
.wide:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
.marked { background: #eff6ff; }
@media (max-width: 40rem) {
  body { padding: 1.25rem 1rem 3rem; }
  h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
  th, td { padding-right: .75rem; }
}
"""
