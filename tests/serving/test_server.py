import socket
import sys

import pytest

from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.serving import server


def test_without_gradio_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'gradio', None)  # as if it were not there
    with pytest.raises(UserError, match=r"gradio is not installed; pip install 'cosegnet-jax\[serve\]'"):
        server.check('127.0.0.1', None)


def test_where_nothing_can_listen_one_line_says_so():
    pytest.importorskip('gradio', reason="needs Gradio: pip install 'cosegnet-jax[serve]'")
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf'--host=127\.0\.0\.1 --port={port}: .*; name .* that is free'):
            server.check('127.0.0.1', port)
    server.check('127.0.0.1', port)
    with pytest.raises(UserError, match=r'--host=no\.such\.host\.invalid --port=any: '):
        server.check('no.such.host.invalid', None)
