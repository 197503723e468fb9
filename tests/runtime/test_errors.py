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
