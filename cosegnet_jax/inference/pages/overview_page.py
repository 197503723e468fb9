"""The report of a large collection: some photos of each of its largest groups, in one HTML file.

It does not group anew, as the page of `report` does: that takes all photos and the probability of every
pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.inference.pages.report_page import LARGE, VIEWS, packaged, side_of, tile
from cosegnet_jax.reports.pages import html_page

GROUPS = 100  # shown; with all photos below, 1,250 at most, which make a page of 13 MB
OF_A_GROUP = 12
OUTLIERS = 50


def write_overview(path: Path, found: CoSegmentation, *, threshold: float, title: str) -> None:
    """Writes the page.

    Args:
        path: File to write; its folder is made where it is missing.
        found: What was found, at `threshold`.
        threshold: That the photos were grouped at.
        title: Heading of the page.
    """
    groups = ''.join(
        f'<h3 id="group-{number}">Group {number} <small>{_shown(members, OF_A_GROUP)}</small></h3>'
        f'{_tiles(found, members[:OF_A_GROUP], f"aria-labelledby=group-{number}")}'
        for number, members in enumerate(found.groups[:GROUPS], 1)
    )
    outliers = (
        f'<p class="note">{_shown(found.outliers, OUTLIERS)}; they have no mask.</p>'
        f'{_tiles(found, found.outliers[:OUTLIERS], "id=outliers")}'
    )
    summary = f'groups: {len(found.groups):,}; outliers: {len(found.outliers):,}; threshold: {threshold:g}'
    sections = [
        ('View', f'<div class="controls">{VIEWS.format(name="view")}</div>'),
        ('Groups', _HELP.format(threshold=threshold, groups=min(GROUPS, len(found.groups))) + groups),
        ('In no group', outliers + LARGE + f'<script type="module">{packaged("tiles.js")}</script>'),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    page = html_page.page(title, summary, sections, packaged('page.css'))
    # A file name that is not Unicode has no spelling in UTF-8.
    path.write_text(page, encoding='utf-8', errors='replace')


def _shown(members: Sequence[int], most: int) -> str:
    few = f', {most} of them shown' if len(members) > most else ''
    return f'{len(members):,} photo(s){few}'


def _tiles(found: CoSegmentation, members: Sequence[int], attribute: str) -> str:
    tiles = (
        tile(
            found.names[one],
            found.photos[one],
            found.soft_masks[one] >= found.mask_threshold,
            side_of(len(found.names)),
        )
        for one in members
    )
    return f'<ul class="tiles" {attribute}>{"".join(tiles)}</ul>'


_HELP = """<p class="note">Photos are together where the network is sure to {threshold:g}, on average, that
two of them share an object. Here are the {groups} largest groups; pairs.json has all. Point at a photo to see
its mask, and click it to enlarge it.</p>"""
