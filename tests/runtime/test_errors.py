import errno
import os
import subprocess
import sys

import pytest

from cosegnet_jax.runtime.errors import UserError, printable, reported


def test_names_do_nothing_to_a_line_of_text_or_a_terminal():
    assert printable('new\nline \x1b[2J caf\udce9 🏖️.jpg') == 'new�line �[2J caf� 🏖️.jpg'
    assert printable('a\u202egpj.exe \u2028 \u2029 \ufeff') == 'a�gpj.exe � � �'
    assert printable('👩\u200d🚀 می\u200cروم') == '👩\u200d🚀 می\u200cروم'


def test_an_error_ends_a_program_with_one_line_that_does_nothing_to_a_terminal(capsys):
    with pytest.raises(SystemExit) as ended, reported(UserError):
        raise UserError('--images: cow\n\x1b[2J.jpg: no such file')
    assert ended.value.code == 2
    assert capsys.readouterr().err == 'error: --images: cow��[2J.jpg: no such file\n'


@pytest.mark.parametrize('lines', [1, 100_000])
def test_a_reader_that_goes_away_ends_a_program_without_a_word(lines):
    program = f"""
from cosegnet_jax.runtime.errors import UserError, reported
with reported(UserError):
    input()  # until nobody reads
    for number in range({lines}):
        print(number)
"""
    process = subprocess.Popen(
        [sys.executable, '-c', program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    process.stdin.write(b'\n')
    process.stdin.close()
    assert process.stderr.read() == b''
    process.stderr.close()
    assert process.wait() == 141


@pytest.mark.parametrize(
    ('error', 'line'),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), 'runs/metrics.jsonl'), ' for runs/metrics.jsonl'),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), ''),
        (ValueError('RESOURCE_EXHAUSTED: write: No space left on device'), ''),
    ],
    ids=['file', 'quota', 'of a library'],
)
def test_a_full_disk_ends_a_program_with_one_line(capsys, error, line):
    for raised in (error, _caused_by(error)):
        with pytest.raises(SystemExit) as ended, reported(UserError):
            raise raised
        assert ended.value.code == 2
    said = line if raised is error else ''
    assert capsys.readouterr().err.splitlines()[-1] == (
        f'error: no space left on the disk{said}; free some, and start again'
    )


def _caused_by(error):
    other = RuntimeError('saving has failed')
    other.__cause__ = error
    return other


def test_another_error_is_not_taken_for_a_full_disk():
    with pytest.raises(OSError, match='Input/output'), reported(UserError):
        raise OSError(errno.EIO, 'Input/output error')


def test_an_error_is_one_line_wherever_it_is_read():
    assert str(UserError('a\nb.json: no list')) == 'a�b.json: no list'
