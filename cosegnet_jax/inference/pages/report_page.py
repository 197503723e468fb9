"""The report of a prediction: one HTML file that needs nothing beside it.

The photos, their masks before the gate and the probability of every pair are in the page, so that it can
group again at another threshold: page.js, by the rule of `grouping`.
"""

from __future__ import annotations

import base64
import html
import io
from importlib import resources
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32
from PIL import Image

from cosegnet_jax.inference.cosegmentation import CoSegmentation
from cosegnet_jax.reports.pages import html_page

SIDE = 200  # pixels, the longer side of a photo in the page
QUALITY = 80  # of its JPEG


def write_report(path: str | Path, cosegmentation: CoSegmentation, *, threshold: float, title: str) -> None:
    """Write photos, masks, groups and probabilities as one HTML file that works without a network.

    A photo takes some 10 kB of the file and a pair 5.3 bytes, so that 1,000 photos make 13 MB.

    Args:
        path: file to write; its folder is made where it is missing.
        cosegmentation: what `CoSegmenter.cosegment` returned.
        threshold: at which the page groups when it is opened, in [0, 1].
        title: heading of the page.
    """
    photos = zip(cosegmentation.names, cosegmentation.photos, cosegmentation.soft_masks, strict=True)
    at = cosegmentation.mask_threshold
    tiles = [tile(name, photo, soft >= at) for name, photo, soft in photos]
    count = len(tiles)
    sections = [
        ('Threshold and view', _CONTROLS.format(threshold=threshold, views=VIEWS)),
        ('Groups', _GROUPS.format(tiles='\n'.join(tiles))),
        ('Outliers', _OUTLIERS),
        ('Probabilities', _PROBABILITIES + _scripts(np.asarray(cosegmentation.probabilities))),
    ]
    summary = f'{count} photos, {count * (count - 1) // 2} pairs'
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    page = html_page.page(title, summary, sections, packaged('page.css'))
    # A file name that is not Unicode has no spelling in UTF-8.
    path.write_text(page, encoding='utf-8', errors='replace')


def tile(name: str, photo: Image.Image, mask: Bool[np.ndarray, 'h w']) -> str:
    """One photo, small, with the mask that it has in a group; page.css and tiles.js show and hide it."""
    small = photo.copy()
    small.thumbnail((SIDE, SIDE))
    # Its white pixels are opaque and its black ones transparent: CSS lays it over the photo and cuts with it.
    inside = Image.fromarray(mask.astype(np.uint8) * 255).resize(small.size, Image.Resampling.BILINEAR)
    stencil = inside.point([0] * 128 + [255] * 128, mode='1')
    return _TILE.format(
        name=html.escape(name),
        share=f'{mask.mean():.0%}',
        photo=html_page.data_uri('image/jpeg', _encoded(small, 'JPEG', quality=QUALITY)),
        mask=html_page.data_uri('image/png', _encoded(stencil, 'PNG', transparency=0)),
    )


def _encoded(image: Image.Image, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _scripts(probabilities: Float32[np.ndarray, 'n n']) -> str:
    """What makes the page work: the probabilities of all pairs, row by row, and the code."""
    pairs = probabilities[np.triu_indices(len(probabilities), 1)].astype('<f4')
    return (
        f'<script type="text/plain" id="pairs">{base64.b64encode(pairs.tobytes()).decode()}</script>\n'
        f'<script type="module">\n{packaged("tiles.js")}\n{packaged("clustering.js")}\n'
        f'{packaged("page.js")}</script>'
    )


def packaged(name: str) -> str:
    """The text of a script or style beside this module."""
    return resources.files('cosegnet_jax.inference.pages').joinpath(name).read_text(encoding='utf-8')


_TILE = """<li><button type="button" class="tile" data-view="photo" style="--mask:url({mask})">
<span class="frame"><img src="{photo}" alt=""><span class="overlay"></span></span>
<bdi class="name" title="{name}">{name}</bdi>
<small class="object">object on {share}</small><small class="null">no mask</small>
<span class="view unseen">photo</span></button></li>"""

VIEWS = """<fieldset id="views"><legend>Show</legend>
<label><input type="radio" name="view" value="photo" checked>photo</label>
<label><input type="radio" name="view" value="mask">mask</label>
<label><input type="radio" name="view" value="cut-out">cut-out</label></fieldset>"""

_CONTROLS = """<div class="controls">
<p><label for="threshold">Threshold</label>
<input type="range" id="threshold" min="0" max="1" step="0.01" data-exact="{threshold}"
aria-describedby="rule">
<output id="threshold-text" for="threshold">{threshold}</output></p>
{views}
<p id="status" role="status"></p></div>"""

_GROUPS = """<p class="note" id="rule">Photos stay together where the probability that two of them share an
object is at least the threshold, on average over the pairs. Point at a photo to see its mask, and click it
for the cut-out; with the keyboard, move to it and press Enter.</p>
<noscript><p>Grouping takes JavaScript, which is off. Below are all photos in their order.</p></noscript>
<p id="no-groups" hidden>No two photos share an object at this threshold.</p>
<div id="groups"><ul class="tiles" id="tiles">
{tiles}
</ul></div>"""

_OUTLIERS = """<p id="some-outliers" class="note">Photos that belong to no group at this threshold; their
masks are null.</p>
<p id="no-outliers" hidden>None: every photo is in a group.</p>
<ul class="tiles" id="outliers"></ul>"""

_PROBABILITIES = """<p class="note">Of every two photos, that they share an object. Rows and columns follow
the groups, which are outlined, with the outliers last. Point at a cell to read it, or move over the cells
with the arrow keys.</p>
<p class="scale"><span>0</span>
<span id="scale" role="img" aria-label="colors from light, 0, to dark, 1"></span>
<span>1</span> <output id="readout"></output></p>
<div class="matrix"><ol id="rows" aria-hidden="true"></ol>
<canvas id="matrix" tabindex="0" role="application" aria-describedby="readout"
aria-label="Matrix of probabilities; the arrow keys move from cell to cell"></canvas></div>
<details id="as-table"><summary>The matrix as a table</summary>
<div id="table" class="scrolled" tabindex="0" role="region" aria-label="Table of probabilities"></div>
</details>
"""
