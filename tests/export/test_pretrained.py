import http.server
import sys
import threading
from pathlib import Path

import pytest

from cosegnet_jax import CoSegmenter
from cosegnet_jax.export import model_file, pretrained
from cosegnet_jax.runtime.errors import UserError

COMMIT = 40 * 'a'


@pytest.fixture
def file(tmp_path, network):
    (tmp_path / 'exported').mkdir()
    path = tmp_path / 'exported' / 'model.safetensors'
    model_file.write(path, network, 'float32')
    return path


def check_refused(name, message):
    with pytest.raises(UserError, match=message) as raised:
        pretrained.find(name)
    assert '\n' not in str(raised.value)


def test_a_file_and_the_folder_that_holds_it_are_the_network_of_the_run(file, run_folder):
    run = CoSegmenter.from_pretrained(run_folder).network
    for segmenter in (CoSegmenter.from_pretrained(file), CoSegmenter.from_pretrained(file.parent)):
        one = segmenter.network
        assert (one.fingerprint(), one.step, one.config) == (run.fingerprint(), run.step, run.config)


def test_what_is_here_is_not_looked_for_on_the_hub(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    here = Path('owner', 'name', 'model.safetensors')
    here.parent.mkdir(parents=True)
    here.touch()
    assert pretrained.find('owner/name') == here


def test_a_mistyped_path_is_not_asked_for_on_the_hub(monkeypatch, tmp_path):
    monkeypatch.setattr(pretrained, 'download', lambda *_: pytest.fail('asked the Hub'))
    monkeypatch.chdir(tmp_path)
    for name in ('runs/exported', 'owner/name@v1', 'name', './owner/name', 'exported/model.safetensors'):
        check_refused(name, f'^{name}: no such file or folder; a network on the .* is hf:OWNER/NAME$')
    for name in ('hf:', 'hf:name', 'hf:owner/name/file', 'hf:../name', 'hf:owner/name@', 'hf://owner/name'):
        check_refused(name, f'^{name}: no name on the Hugging Face Hub; write hf:OWNER/NAME$')


def test_a_file_holds_one_step(file):
    assert CoSegmenter.from_pretrained(file, step=0).network.step == 0
    with pytest.raises(UserError, match='holds step 0 and not 7'):
        CoSegmenter.from_pretrained(file, step=7)


def test_what_is_nowhere_is_said_in_one_line(tmp_path, run_folder):
    check_refused(
        str(tmp_path), r'neither model\.safetensors nor checkpoints in it; name a folder of cosegnet export'
    )
    check_refused(str(tmp_path / 'nowhere'), 'nowhere: no such file or folder; a network on the Hugging Face')
    check_refused('photos/model.safetensors', 'no such file or folder')
    check_refused('nowhere', 'no such file or folder')


def test_without_the_extra_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    check_refused(
        'hf:owner/name',
        r"hf:owner/name: the Hugging Face Hub cannot be asked: .*; pip install 'cosegnet-jax\[hub\]'",
    )


class _Hub(http.server.BaseHTTPRequestHandler):
    """Answers as the Hub does about `owner/good`, `owner/empty` and `owner/gated`; it has nothing else."""

    content = b''
    asked: list[str]

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        if self._answer():
            self.wfile.write(self.content)

    def _answer(self):
        parts = self.path.removeprefix('/').split('/')
        name, revision = parts[1], parts[-2]
        errors = {'good': None, 'empty': (404, 'EntryNotFound'), 'gated': (403, 'GatedRepo')}
        error = errors.get(name, (401, 'RepoNotFound'))
        if error is None and revision not in ('main', 'v1', COMMIT):
            error = (404, 'RevisionNotFound')
        self.send_response(error[0] if error else 200)
        self.send_header('X-Repo-Commit', COMMIT)
        if error:
            self.send_header('X-Error-Code', error[1])
            self.send_header('Content-Length', '0')
        else:
            self.asked.append(f'{self.command} {revision}')
            self.send_header('ETag', '"abc"')
            self.send_header('Content-Length', str(len(self.content)))
        self.end_headers()
        return not error

    def log_message(self, *_):
        pass


def point_at(monkeypatch, port):
    """Has the library ask a port of this machine instead of the Hub."""
    from huggingface_hub import constants

    path = '/{repo_id}/resolve/{revision}/{filename}'
    monkeypatch.setattr(constants, 'ENDPOINT', f'http://127.0.0.1:{port}')
    monkeypatch.setattr(constants, 'HUGGINGFACE_CO_URL_TEMPLATE', f'http://127.0.0.1:{port}{path}')


@pytest.fixture
def hub(monkeypatch, tmp_path, file):
    """A Hub on this machine, and a cache of its own."""
    reason = "huggingface_hub is not installed: pip install 'cosegnet-jax[hub]'"
    constants = pytest.importorskip('huggingface_hub.constants', reason=reason)
    handler = type('Hub', (_Hub,), {'content': file.read_bytes(), 'asked': []})
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    point_at(monkeypatch, server.server_port)
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setenv('HF_HUB_DISABLE_PROGRESS_BARS', '1')
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize('name', ['hf:owner/good', 'hf:owner/good@v1'])
def test_a_repository_of_the_hub_is_downloaded_once(hub, network, name):
    found = CoSegmenter.from_pretrained(name).network
    assert (found.step, found.config) == (network.step, network.config)
    CoSegmenter.from_pretrained(name)
    revision = 'v1' if '@' in name else 'main'
    assert hub.asked == [f'HEAD {revision}', f'GET {revision}', f'HEAD {revision}']


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('hf:owner/none', 'hf:owner/none: no such repository'),
        ('hf:owner/good@v2', 'no revision v2'),
        ('hf:owner/empty', r'no model\.safetensors in it'),
        ('hf:owner/gated', 'its owner gives it on request'),
    ],
)
def test_what_the_hub_does_not_give_is_said_in_one_line(hub, name, message):
    check_refused(name, message)


def test_without_a_network_it_is_said_and_what_was_downloaded_is_used(hub, monkeypatch):
    pretrained.find('hf:owner/good')
    point_at(monkeypatch, 9)  # where nobody answers
    monkeypatch.setattr('time.sleep', lambda seconds: None)  # it tries again
    assert pretrained.find('hf:owner/good').read_bytes() == hub.content
    check_refused('hf:owner/none', 'the Hub cannot be reached')
