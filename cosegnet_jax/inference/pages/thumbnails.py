"""A result as notebooks show it: some small cut-outs of each group."""

from __future__ import annotations

import html
import io

from PIL import Image

from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.reports.pages.html_page import data_uri

SIDE = 96  # pixels, the longer side
GROUPS = 6
OF_A_GROUP = 8


def thumbnails(found: CoSegmentation) -> str:
    """HTML with a row for each of the largest groups; at most 48 photos are opened."""
    rows = [
        f'<p>group {number}: {len(members)} photos</p>'
        f'<p>{"".join(_one(found, one) for one in members[:OF_A_GROUP])}</p>'
        for number, members in enumerate(found.groups[:GROUPS], 1)
    ]
    return f'<div><p>{html.escape(repr(found))}</p>{"".join(rows)}</div>'


def _one(found: CoSegmentation, index: int) -> str:
    cut = found.cutouts()[index]
    cut.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
    file = io.BytesIO()
    cut.save(file, 'PNG')
    name = html.escape(found.names[index], quote=True)
    return f'<img src="{data_uri("image/png", file.getvalue())}" alt="{name}" title="{name}">'
