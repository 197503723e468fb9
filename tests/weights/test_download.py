import contextlib
import gc
import hashlib
import http.server
import socketserver
import threading

import pooch
import pytest

from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.weights.download import fetch

CONTENT = b'weights' * 1000
CHECKSUM = f'md5:{hashlib.md5(CONTENT).hexdigest()}'


@contextlib.contextmanager
def serving(content):
    """Address of a file with that content, or of none, while the context lasts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if content else 404)
            self.send_header('Content-Length', str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    with socketserver.TCPServer(('127.0.0.1', 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        try:
            yield f'http://127.0.0.1:{server.server_address[1]}/vgg16.h5'
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('NO_PROXY', '127.0.0.1')
    return tmp_path / 'cache'


def test_downloaded_once_and_kept(cache):
    with serving(CONTENT) as url:
        path = fetch(url, CHECKSUM, cache)
    assert path == cache / 'vgg16.h5'
    assert path.read_bytes() == CONTENT
    assert fetch(url, CHECKSUM, cache) == path  # though nobody serves it any more


def test_pooch_is_not_heard(cache, caplog, monkeypatch):
    logger = pooch.get_logger()
    monkeypatch.setattr(logger, 'handlers', [caplog.handler])
    logger.setLevel('INFO')  # as it is before the first download of a process
    with serving(CONTENT) as url:
        fetch(url, CHECKSUM, cache)
    assert [record for record in caplog.records if record.name == 'pooch'] == []


def refusal(url, cache):
    """The one line that a user reads when the file cannot be had."""
    with pytest.raises(UserError) as caught:
        fetch(url, CHECKSUM, cache)
    message = str(caught.value)
    assert '\n' not in message
    assert url in message
    assert '--config.model.weights=FILE' in message
    assert '--config.model.weights=none' in message
    return message


def test_without_network(cache):
    with serving(CONTENT) as url:
        pass
    assert 'ConnectionError' in refusal(url, cache)


@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
def test_file_that_is_gone(cache):
    with serving(b'') as url:
        assert 'HTTPError' in refusal(url, cache)
    gc.collect()  # pooch leaves its socket open on this error; be warned of it here, not in another test


def test_wrong_checksum_keeps_nothing(cache):
    with serving(CONTENT[:-1]) as url:
        assert 'wrong checksum' in refusal(url, cache)
    assert list(cache.iterdir()) == []


def test_damaged_cache_is_downloaded_again(cache):
    cache.mkdir()
    (cache / 'vgg16.h5').write_bytes(CONTENT[:-1])
    with serving(CONTENT) as url:
        assert fetch(url, CHECKSUM, cache).read_bytes() == CONTENT


def test_cache_that_cannot_be_written(cache):
    cache.write_bytes(b'a file where the folder should be')
    with serving(CONTENT) as url:
        assert str(cache) in refusal(url, cache)
