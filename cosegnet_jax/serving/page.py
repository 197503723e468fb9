"""The page: photos in; the report of `inference.pages.report_page` and a zip out."""

# Annotations are not postponed here, as Gradio reads them to know what to hand over.

import html
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cosegnet_jax.inference import prediction
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.inference.settings import Settings
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.serving import archive, limits, sessions

WAITING = 20  # requests; to more, the page says that it is busy


def build(segmenter: CoSegmenter, bounds: limits.Limits, threshold: float, folder: Path) -> Any:
    """The page as Gradio's `Blocks`, to be launched.

    Args:
        segmenter: The network.
        bounds: What a visitor may give.
        threshold: Of the groups that are shown at first.
        folder: Of all visitors; see `sessions`.
    """
    import gradio as gr

    busy = threading.Lock()  # so that nobody's folder is deleted while it is written to
    bars = gr.Progress(track_tqdm=True)  # those of `prediction.predict`

    def predict(visit: sessions.Session, given: Sequence[dict], at: float) -> prediction.Outcome:
        photos = sessions.take(visit, [one['path'] for one in given])
        limits.check([photo.path for photo in photos], bounds)
        visit.found.mkdir(parents=True, exist_ok=True)
        settings = Settings(
            threshold=at,
            mask_threshold=segmenter.mask_threshold,
            keep_outliers=segmenter.keep_outliers,
            refine=segmenter.refine,
        )
        return prediction.predict(photos, segmenter, visit.found, settings)

    def shown(said: str, unused: str = '', report: str = '') -> list:
        said = html.escape(said)
        return [said, gr.HTML(unused, visible=bool(unused)), report, gr.Button(visible=bool(report))]

    def look(given: list[dict] | None, at: float, visitor: gr.Request, _=bars) -> list:
        visit = sessions.of(str(visitor.session_hash), folder)
        with busy:
            if not given:
                sessions.leave(visit)
                return shown('')
            try:
                document = predict(visit, given, at).document
            except UserError as error:
                return shown(str(error))
            report = (visit.found / 'report.html').read_text(encoding='utf-8')
        said = f'{len(document["names"])} photos were looked at.'
        return shown(said, _unused(document['skipped']), _framed(report))

    def pack(given: list[dict] | None, at: float, visitor: gr.Request, _=bars) -> str:
        visit = sessions.of(str(visitor.session_hash), folder)
        with busy:
            try:
                outcome = predict(visit, given or [], at)
                archive.write(visit.archive, outcome.found, outcome.document, visit.found)
            except UserError as error:
                raise gr.Error(str(error), print_exception=False) from error
        return str(visit.archive)

    def leave(visitor: gr.Request) -> None:
        with busy:
            sessions.leave(sessions.of(str(visitor.session_hash), folder))

    with gr.Blocks(title='CoSegNet', analytics_enabled=False) as page:
        gr.Markdown(_ABOUT.format(bounds=bounds))
        photos = gr.File(file_count='multiple', label='Photos', height=220, elem_id='photos')
        at = gr.Number(threshold, minimum=0, maximum=1, visible=False)
        status = gr.HTML(html_template='<p role="status">${value}</p>', elem_id='status')
        unused = gr.HTML(visible=False, elem_id='unused')
        button = gr.Button('Download masks, cut-outs and report', variant='primary', visible=False)
        zipped = gr.File(visible=False)
        report = gr.HTML(elem_id='report')
        # One request at a time, whichever it is; the queue is told, so that it can tell who waits.
        event = {
            'inputs': [photos, at],
            'js': _AT_THE_SLIDER,
            'show_progress_on': status,
            'concurrency_id': 'network',
            'concurrency_limit': 1,
            'api_visibility': 'private',
            'preprocess': False,  # it would leave an empty file for each photo
        }
        photos.change(look, outputs=[status, unused, report, button], **event)
        button.click(pack, outputs=zipped, **event).success(None, zipped, js=_DOWNLOAD)
        page.unload(leave)
    return page.queue(max_size=WAITING)


def _unused(skipped: Sequence[dict[str, str]]) -> str:
    rows = ''.join(
        f'<li><bdi>{html.escape(one["name"])}</bdi>: {html.escape(one["reason"])}</li>' for one in skipped
    )
    return rows and f'<h2>Not used</h2><ul>{rows}</ul>'


def _framed(report: str) -> str:
    # Links inside the report would else be taken for links of the page around it.
    report = report.replace('<head>', '<head><base href="about:srcdoc">', 1)
    return f'<iframe title="Groups and masks" srcdoc="{html.escape(report)}"></iframe>'


_ABOUT = """# Which of these photos show the same thing, and where is it?

Drop photos below: at most {bounds}. They, and what is found in them, are deleted when you close this page."""

# The slider is that of the report.
_AT_THE_SLIDER = """(photos, threshold) => {
  const report = document.querySelector('#report iframe')?.contentDocument;
  return [photos, Number(report?.getElementById('threshold-text')?.value || threshold)];
}"""

_DOWNLOAD = """(file) => {
  Object.assign(document.createElement('a'), { href: file.url, download: file.orig_name }).click();
}"""

STYLE = """
#report .html-container { padding: 0; }
#report iframe { width: 100%; height: 95vh; border: 0; }
#photos .download-link { display: none; } /* what is uploaded can be looked at, and not downloaded */
"""
