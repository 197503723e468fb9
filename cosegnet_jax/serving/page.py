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
from cosegnet_jax.serving import archive, examples, limits, page_parts, sessions

WAITING = 20  # requests; to more, the page says that it is busy


def build(segmenter: CoSegmenter, card: str, bounds: limits.Limits, threshold: float, folder: Path) -> Any:
    """The page as Gradio's `Blocks`, to be launched.

    Args:
        segmenter: The network.
        card: Its model card, as Markdown.
        bounds: What a visitor may give.
        threshold: Of the groups that are shown at first.
        folder: Of all visitors; see `sessions`.
    """
    import gradio as gr

    busy = threading.Lock()  # so that nobody's folder is deleted while it is written to
    bars = gr.Progress(track_tqdm=True)  # those of `prediction.predict`

    def predict(
        visit: sessions.Session, given: Sequence[dict], at: float, mask_at: float
    ) -> prediction.Outcome:
        photos = sessions.take(visit, [one['path'] for one in given])
        limits.check([photo.path for photo in photos], bounds)
        visit.found.mkdir(parents=True, exist_ok=True)
        settings = Settings(
            threshold=at,
            mask_threshold=mask_at,
            keep_outliers=segmenter.keep_outliers,
            refine=segmenter.refine,
        )
        return prediction.predict(photos, segmenter, visit.found, settings)

    def shown(said: str, unused: str = '', report: str = '') -> list:
        said = html.escape(said)
        return [said, gr.HTML(unused, visible=bool(unused)), report, gr.Button(visible=bool(report))]

    def look(given: list[dict] | None, at: float, mask_at: float, visitor: gr.Request, _=bars) -> list:
        visit = sessions.of(str(visitor.session_hash), folder)
        with busy:
            if not given:
                sessions.leave(visit)
                return shown('')
            try:
                document = predict(visit, given, at, mask_at).document
            except UserError as error:
                return shown(str(error))
            report = (visit.found / 'report.html').read_text(encoding='utf-8')
        said = f'{len(document["names"])} photos were looked at.'
        return shown(said, page_parts.unused(document['skipped']), page_parts.framed(report))

    def pack(given: list[dict] | None, at: float, mask_at: float, visitor: gr.Request, _=bars) -> str:
        visit = sessions.of(str(visitor.session_hash), folder)
        with busy:
            try:
                outcome = predict(visit, given or [], at, mask_at)
                archive.write(visit.archive, outcome.found, outcome.document, visit.found)
            except UserError as error:
                raise gr.Error(str(error), print_exception=False) from error
        return str(visit.archive)

    def draw(visitor: gr.Request) -> list[str]:
        return examples.write(sessions.of(str(visitor.session_hash), folder).examples)

    def leave(visitor: gr.Request) -> None:
        with busy:
            sessions.leave(sessions.of(str(visitor.session_hash), folder))

    with gr.Blocks(title='CoSegNet', analytics_enabled=False) as page:
        gr.Markdown(page_parts.ABOUT.format(bounds=bounds))
        photos = gr.File(file_count='multiple', label='Photos', height=220, elem_id='photos')
        with gr.Row():
            try_it = gr.Button('No photos at hand? Try it on nine drawings', elem_id='examples')
            mask_at = gr.Slider(
                0.05,
                0.95,
                segmenter.mask_threshold,
                step=0.05,
                label='Masks: higher is smaller',
                elem_id='masks',
            )
        gr.HTML(page_parts.knowledge(card), elem_id='knowledge')
        at = gr.Number(threshold, minimum=0, maximum=1, visible=False)
        status = gr.HTML(html_template='<p role="status">${value}</p>', elem_id='status')
        unused = gr.HTML(visible=False, elem_id='unused')
        button = gr.Button('Download masks, cut-outs and report', variant='primary', visible=False)
        zipped = gr.File(visible=False)
        report = gr.HTML(elem_id='report')
        # One request at a time, whichever it is; the queue is told, so that it can tell who waits.
        event = {
            'inputs': [photos, at, mask_at],
            'js': page_parts.AT_THE_SLIDER,
            'show_progress_on': status,
            'concurrency_id': 'network',
            'concurrency_limit': 1,
            'api_visibility': 'private',
            'preprocess': False,  # it would leave an empty file for each photo
        }
        results = [status, unused, report, button]
        try_it.click(draw, None, photos, show_progress_on=status, api_visibility='private')
        photos.change(look, outputs=results, **event)
        # Not its `release`, which keys do not cause; of changes that come fast, the last one counts.
        mask_at.change(look, outputs=results, trigger_mode='always_last', **event)
        button.click(pack, outputs=zipped, **event).success(None, zipped, js=page_parts.DOWNLOAD)
        page.unload(leave)
    return page.queue(max_size=WAITING)
