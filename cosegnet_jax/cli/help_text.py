"""What `--help` prints of a command: its usage and what its flags mean."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from absl import flags

from cosegnet_jax.cli import Command

_WIDTH = 100
_INDENT = 28
_VALUES = {'int': 'N', 'float': 'X', 'bool': '', 'string': 'TEXT', 'comma separated list of strings': 'A,B'}


def help_text(name: str, command: Command, description: str, own: Sequence[flags.Flag]) -> str:
    """The text of `cosegnet NAME --help`.

    Args:
        name: Of the command.
        command: The command.
        description: Docstring of its module.
        own: Flags that it declares itself.
    """
    words = f' {command.words}' if command.words else ''
    general = ['keep_compiled'] if command.keeps_compiled else []
    shared = [flags.FLAGS[one] for one in command.shared]
    listed = [*shared, *sorted(own, key=lambda flag: flag.name), *(flags.FLAGS[one] for one in general)]
    parts = [f'Usage: cosegnet {name}{words} [--flag=value ...]', description.strip()]
    if 'config' in command.shared:
        parts.append('`--config.key=value` changes a key of the config; `cosegnet config` lists the keys.')
    return '\n\n'.join([*parts, 'Flags:\n' + '\n'.join(map(_line, listed))])


def _line(flag: flags.Flag) -> str:
    """One flag: `--name=VALUE`, and its meaning, which says its default in words."""
    value = _value(flag)
    left = f'  --{flag.name}{value and f"={value}"}'
    meaning = ' '.join(flag.help.split())
    lines = textwrap.wrap(meaning, _WIDTH - _INDENT) or ['']
    head = [f'{left:{_INDENT}}{lines.pop(0)}'] if len(left) < _INDENT - 1 else [left]
    return '\n'.join([*head, *(' ' * _INDENT + line for line in lines)])


def _value(flag: flags.Flag) -> str:
    if isinstance(flag, flags.EnumFlag):
        return '|'.join(flag.parser.enum_values)
    kind = flag.help.split(' ', 1)[0].rstrip('.,;:').upper()
    if kind in ('FOLDER', 'FILE', 'NAME'):
        return kind
    return _VALUES.get(flag.flag_type(), 'TEXT')
