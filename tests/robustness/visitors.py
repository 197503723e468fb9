"""`cosegnet serve` under twenty visitors at once, over loopback: each sees what is of the own photos."""

from __future__ import annotations

import collections
import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import inputs
from zygote import ROOT

VISITORS, PHOTOS = 20, 40
PATIENCE_S = 1500


class _Visitor:
    """A browser, as far as the server can tell."""

    def __init__(self, port: int, functions: list[int], names: list[str], contents: list[bytes]):
        self._port = port
        self._look, self._pack = functions
        self._names, self._contents = names, contents
        self._session = uuid.uuid4().hex
        self.problems: list[str] = []
        self.busy = 0

    def visit(self) -> None:
        """Uploads, looks, downloads, and leaves."""
        try:
            heart = http.client.HTTPConnection('127.0.0.1', self._port, timeout=PATIENCE_S)
            heart.request('GET', f'/gradio_api/heartbeat/{self._session}')
            beating = heart.getresponse()
            files = [{'path': path, 'meta': {'_type': 'gradio.FileData'}} for path in self._upload()]
            said, _, report, _ = self._ask(self._look, files)
            self._check_report(said, report)
            self._check_archive(self._ask(self._pack, files)[0])
            beating.close()
            heart.close()
        except Exception as error:
            self.problems.append(f'{type(error).__name__}: {str(error)[:200]}')

    def _upload(self) -> list[str]:
        mark = uuid.uuid4().hex
        body = b''
        for name, content in zip(self._names, self._contents, strict=True):
            head = f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
            body += head.encode() + content + b'\r\n'
        body += f'--{mark}--\r\n'.encode()
        kind = {'Content-Type': f'multipart/form-data; boundary={mark}'}
        return json.loads(self._request('POST', '/gradio_api/upload', body, kind))

    def _ask(self, function: int, files: list[dict]) -> list:
        """Asks as the page does; again where it is told that too many wait."""
        while True:
            data = {
                'data': [files, 0, 0.5],  # photos, and thresholds of groups and of masks
                'fn_index': function,
                'session_hash': self._session,
                'event_data': None,
            }
            kind = {'Content-Type': 'application/json'}
            answer = self._request(
                'POST', '/gradio_api/queue/join', json.dumps(data).encode(), kind, (200, 503)
            )
            if b'event_id' in answer:
                message = self._wait()
                if message['success']:
                    return message['output']['data']
                if 'queue' not in str(message).lower():
                    raise RuntimeError(str(message)[:300])
            self.busy += 1
            time.sleep(1)

    def _wait(self) -> dict:
        connection = http.client.HTTPConnection('127.0.0.1', self._port, timeout=PATIENCE_S)
        connection.request('GET', f'/gradio_api/queue/data?session_hash={self._session}')
        answer = connection.getresponse()
        for line in answer:
            if line.startswith(b'data: '):
                message = json.loads(line[6:])
                if message['msg'] == 'process_completed':
                    connection.close()
                    return message
        raise RuntimeError('the server has ended the answer')

    def _request(
        self, method: str, path: str, body: bytes, headers: dict, good: tuple[int, ...] = (200,)
    ) -> bytes:
        connection = http.client.HTTPConnection('127.0.0.1', self._port, timeout=PATIENCE_S)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status not in good:
            raise RuntimeError(f'{path}: {answer.status} {content[:200]!r}')
        return content

    def _check_report(self, said: str, report: str) -> None:
        said, report = _value(said), _value(report)
        if f'{len(self._names)} photos were looked at' not in said:
            self.problems.append(f'said: {said[:200]}')
        seen = set(re.findall(r'v\d+-\d+\.png', report))
        if seen != set(self._names):
            self.problems.append(f'report of {len(seen)} names, {len(seen - set(self._names))} of others')

    def _check_archive(self, file: dict) -> None:
        import zipfile

        file = _value(file)
        content = self._request('GET', f'/gradio_api/file={file["path"]}', b'', {})
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = json.loads(archive.read('pairs.json'))['names']
            masks = [name for name in archive.namelist() if name.startswith('masks/')]
        if names != self._names or len(masks) != len(names):
            self.problems.append(
                f'an archive of {len(names)} photos, {len(set(names) - set(self._names))} of others'
            )


def _value(output: object) -> object:
    """What a component shows, also where it comes with other properties."""
    return output['value'] if isinstance(output, dict) and 'value' in output else output


def run(scale: float, folder: Path) -> dict:
    """Half of the visitors have the same photos as another one."""
    count = max(4, round(VISITORS * scale))
    photos = max(4, round(PHOTOS * scale)) if scale < 1 else PHOTOS
    model = inputs.model_file(inputs.run_folder(folder / 'run'), folder / 'exported')
    temporary = folder / 'temporary'
    temporary.mkdir()
    env = {key: value for key, value in os.environ.items() if key != 'JAX_NUM_CPU_DEVICES'}
    env |= {
        'TMPDIR': str(temporary),
        'PYTHONPATH': f'{ROOT}:{env.get("PYTHONPATH", "")}',
        'GRADIO_ANALYTICS_ENABLED': 'False',
    }
    log = folder / 'server.log'
    with log.open('w') as file:
        server = subprocess.Popen(
            [sys.executable, '-m', 'cosegnet_jax', 'serve', f'--model={model}'],
            stdout=subprocess.PIPE, stderr=file, cwd=ROOT, env=env, text=True,
        )  # fmt: skip
        try:
            port = int(re.search(r':(\d+)', server.stdout.readline())[1])
            before = _memory(server.pid)
            visitors = [_Visitor(port, _functions(port), *_photos(number, photos)) for number in range(count)]
            threads = [threading.Thread(target=visitor.visit) for visitor in visitors]
            began = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            seconds = time.monotonic() - began
            end = time.monotonic() + 60
            while _left(temporary) and time.monotonic() < end:
                time.sleep(0.5)
            left, after = _left(temporary), _memory(server.pid)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
            server.stdout.close()
    problems = collections.Counter(problem for visitor in visitors for problem in visitor.problems)
    return {
        'visitors': count,
        'photos_each': photos,
        'visits_per_minute': round(60 * count / seconds, 1),
        'mixed_or_missing_results': sum(problems.values()),
        'told_that_it_is_busy': sum(visitor.busy for visitor in visitors),
        'tracebacks': log.read_text().count('Traceback'),
        'left_on_disk': len(left),
        'left_after_the_end': len(list(temporary.glob('cosegnet-*'))),
        'memory_mib': {'before': before, 'peak': after},
        **({'problems': list(problems)[:5]} if problems else {}),
        **({'left': left[:5]} if left else {}),
    }


def _photos(number: int, count: int) -> tuple[list[str], list[bytes]]:
    kind = number // 2  # so that every second visitor has the photos of the one before, under the same names
    names, contents = [], []
    for one in range(count):
        file = io.BytesIO()
        inputs.scene(1000 * kind + one, (320, 240)).save(file, 'PNG')
        names.append(f'v{kind}-{one}.png')
        contents.append(file.getvalue())
    return names, contents


def _functions(port: int) -> list[int]:
    """The numbers of looking and of packing."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    connection.request('GET', '/config')
    config = json.loads(connection.getresponse().read())
    connection.close()
    named = {one['api_name']: one['id'] for one in config['dependencies'] if one.get('backend_fn', True)}
    return [named['look'], named['pack']]


def _left(temporary: Path) -> list[str]:
    # Not `rglob`, which stumbles over folders that the server deletes at this moment.
    found = [Path(folder) / name for folder, _, names in os.walk(temporary) for name in names]
    return [str(path.relative_to(temporary)) for path in found]


def _memory(process: int) -> int:
    """The most that a process has had in memory, in MiB."""
    status = Path(f'/proc/{process}/status').read_text()
    return int(re.search(r'VmHWM:\s+(\d+)', status)[1]) // 1024
