"""The server of the page."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

from cosegnet_jax.data.files.image_files import limit_pixels
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.optional_import import optional_import
from cosegnet_jax.serving import page as pages
from cosegnet_jax.serving import page_parts, sessions, uploads
from cosegnet_jax.serving.guard import Guard
from cosegnet_jax.serving.limits import Limits

KEPT_S = 3600  # what a visitor left who did not close the page
_FRAMING = 10**6  # bytes of a request beside the photos in it


def check(host: str, port: int | None) -> None:
    """Tells early what would keep `serve` from beginning.

    Raises:
        UserError: Gradio is not installed, or nothing can listen there.
    """
    optional_import('gradio', 'serve')
    try:
        socket.create_server((host, port or 0)).close()
    except OSError as error:
        raise UserError(
            f'--host={host} --port={port or "any"}: {error.strerror}; name an address of this machine '
            f'and a port that is free'
        ) from error


def serve(
    segmenter: CoSegmenter, card: str, bounds: Limits, threshold: float, host: str, port: int | None
) -> None:
    """Serves the page until the process is stopped; prints its address when it can be opened.

    All that visitors give, and all that is found, is in one temporary folder, which is deleted in the end.

    Args:
        segmenter: The network.
        card: Its model card, as Markdown.
        bounds: What a visitor may give.
        threshold: Of the groups that are shown at first.
        host: Name or address to listen at.
        port: None for the first one that is free, from 7860 on.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that the folder is deleted then, too
    with tempfile.TemporaryDirectory(prefix='cosegnet-', ignore_cleanup_errors=True) as folder:
        _serve(segmenter, card, bounds, threshold, host, port, Path(folder))


def _serve(
    segmenter: CoSegmenter,
    card: str,
    bounds: Limits,
    threshold: float,
    host: str,
    port: int | None,
    folder: Path,
) -> None:
    os.environ['GRADIO_TEMP_DIR'] = str(sessions.uploads(folder))  # read when its components are made
    limit_pixels(bounds.pixels)
    from gradio.themes import Default
    from starlette.middleware import Middleware

    uploads.give_each_its_own_folder()
    page = pages.build(segmenter, card, bounds, threshold, folder)
    # The colors of the report.
    theme = Default(primary_hue='blue', neutral_hue='gray', font='system-ui')
    theme.set(
        button_primary_background_fill='*primary_700', button_primary_background_fill_hover='*primary_800'
    )
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        # Nothing is told to others, kept in the browser, or run beside this server.
        share=False,
        run_history=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
        ssr_mode=False,
        footer_links=[],
        max_file_size=bounds.bytes,
        app_kwargs={'middleware': [Middleware(Guard, max_bytes=bounds.bytes + _FRAMING)]},
        theme=theme,
        css=page_parts.STYLE,
    )
    print(f'{page.local_url}: open it in a browser; Ctrl-C ends it', flush=True)
    try:
        while True:
            time.sleep(60)
            sessions.forget(folder, KEPT_S)
    finally:
        page.close(verbose=False)
