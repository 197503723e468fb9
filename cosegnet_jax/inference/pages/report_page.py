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

SIDES = {100: 640, 300: 400}  # pixels, the longer side of a photo where there are so many at most
SMALLEST = 200  # where there are more
QUALITY = 80  # of its JPEG


def write_report(
    path: str | Path, cosegmentation: CoSegmentation, *, threshold: float, title: str, command: str = ''
) -> None:
    """Write photos, masks, groups and probabilities as one HTML file that works without a network.

    Args:
        path: file to write; its folder is made where it is missing.
        cosegmentation: what `CoSegmenter.cosegment` returned.
        threshold: at which the page groups when it is opened, in [0, 1].
        title: heading of the page.
        command: that writes these files, to be shown with another threshold; '' where none does.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A file name that is not Unicode has no spelling in UTF-8.
    text = report(cosegmentation, threshold=threshold, title=title, command=command)
    path.write_text(text, encoding='utf-8', errors='replace')


def report(cosegmentation: CoSegmentation, *, threshold: float, title: str, command: str = '') -> str:
    """The page that `write_report` writes.

    A photo takes 10 to 80 kB of it, less where there are many, and a pair 5.3 bytes: 100 photos make some
    7 MB, and 1,000 photos 13 MB.
    """
    at, count = cosegmentation.mask_threshold, len(cosegmentation.names)
    photos = zip(cosegmentation.names, cosegmentation.photos, cosegmentation.soft_masks, strict=True)
    tiles = [tile(name, photo, soft >= at, side_of(count)) for name, photo, soft in photos]
    controls = _CONTROLS.format(
        threshold=threshold, views=VIEWS.format(name='view'), command=html.escape(command, quote=True)
    )
    sections = [
        ('Threshold and view', controls),
        ('Groups', _GROUPS.format(tiles='\n'.join(tiles))),
        ('In no group', _OUTLIERS),
        ('Probabilities', _PROBABILITIES + LARGE + _scripts(np.asarray(cosegmentation.probabilities))),
    ]
    summary = f'{count} photos, {count * (count - 1) // 2} pairs'
    return html_page.page(title, summary, sections, packaged('page.css'))


def side_of(count: int) -> int:
    """Pixels of the longer side of a photo in a page of so many."""
    return next((side for most, side in SIDES.items() if count <= most), SMALLEST)


def tile(name: str, photo: Image.Image, mask: Bool[np.ndarray, 'h w'], side: int) -> str:
    """One photo, small, with the mask that it has in a group; page.css and tiles.js show and hide it."""
    small = photo.copy()
    small.thumbnail((side, side))
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
    code = [packaged(f'{name}.js') for name in ('tiles', 'clustering', 'photos', 'editing', 'matrix', 'page')]
    return (
        f'<script type="text/plain" id="pairs">{base64.b64encode(pairs.tobytes()).decode()}</script>\n'
        f'<script type="module">\n{"".join(code)}</script>'
    )


def packaged(name: str) -> str:
    """The text of a script or style beside this module."""
    return resources.files('cosegnet_jax.inference.pages').joinpath(name).read_text(encoding='utf-8')


_TILE = """<li><button type="button" class="tile" data-view="photo" style="--mask:url({mask})">
<span class="frame"><img src="{photo}" alt=""><span class="overlay"></span></span>
<bdi class="name" title="{name}">{name}</bdi>
<small class="object">the object covers {share}</small><small class="null">no mask</small></button></li>"""

VIEWS = """<fieldset id="{name}s"><legend>Show</legend>
<label><input type="radio" name="{name}" value="photo" checked>photo</label>
<label><input type="radio" name="{name}" value="mask">mask</label>
<label><input type="radio" name="{name}" value="cut-out">cut-out</label></fieldset>"""

_CONTROLS = """<div class="controls">
<p><label for="threshold">How sure</label>
<input type="range" id="threshold" min="0" max="1" step="0.01" data-exact="{threshold}"
aria-describedby="rule">
<output id="threshold-text" for="threshold">{threshold}</output>
<small>higher: smaller, purer groups</small></p>
{views}
<p><button type="button" id="undo" disabled>Undo the last move</button>
<button type="button" id="copy-list">Copy the list</button></p>
<p id="status" role="status"></p></div>
<p id="as-files" hidden><span>The files are as the slider was. To write them anew:</span>
<code id="command" data-command="{command}"></code>
<button type="button" id="copy-command">Copy the command</button></p>"""

_GROUPS = """<p class="note" id="rule">Photos are together where the network is as sure as the slider says, on
average, that two of them share an object. The photos most like the others of their group come first. Point at
a photo to see its mask. Click or tap it to enlarge it and to move it to another group. What you change
stays in this browser.</p>
<noscript><p>Grouping takes JavaScript, which is off. Below are all photos in their order.</p></noscript>
<p id="no-groups" hidden>No two photos share an object at this setting. Move the slider to the left.</p>
<div id="groups"><ul class="tiles" id="tiles">
{tiles}
</ul></div>"""

_OUTLIERS = """<p id="some-outliers" class="note">Photos that share their object with no other photo, or that
you set aside. They have no mask.</p>
<p id="no-outliers" hidden>None: every photo is in a group.</p>
<ul class="tiles" id="outliers"></ul>"""

_PROBABILITIES = """<p class="note">How sure the network is that two photos share an object. Rows and columns
follow the groups, which are outlined; photos in no group come last. Point at a cell to read it, or move over
the cells with the arrow keys.</p>
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

LARGE = f"""<dialog id="large" data-view="photo" aria-labelledby="large-name">
<h2 id="large-name"></h2><span class="frame"></span>
<div class="controls">{VIEWS.format(name='large-view')}
<p hidden><select id="move" aria-label="Move this photo"></select></p>
<p><button type="button" id="before">Previous</button> <button type="button" id="after">Next</button>
<button type="button" id="close">Close</button></p></div></dialog>
"""
