"""List the keys of a config, their meaning and default.

cosegnet config [PATTERN]

PATTERN is a part of a name or of a meaning, such as `optimizer` or `threshold`; without it, all keys are
listed. `cosegnet train --config=NAME --config.key=value` changes a key.
"""

import textwrap

from cosegnet_jax import config as configs
from cosegnet_jax.cli import command_line
from cosegnet_jax.config.meanings import Key, described
from cosegnet_jax.runtime.errors import UserError

_WIDTH = 100
_INDENT = 4


def main() -> None:
    """Print the keys that fit the pattern of the command line."""
    patterns = [word.lower().lstrip('-') for word in command_line.words()]
    keys = [key for key in described() if all(one in f'{key.name} {key.meaning}'.lower() for one in patterns)]
    if not keys:
        near = configs.nearest_key(patterns[-1])
        keys = [key for key in described() if key.name == near]
    if not keys:
        raise UserError(f'{" ".join(patterns)}: no key fits; `cosegnet config` lists all')
    print('\n'.join(map(_lines, keys)))


def _lines(key: Key) -> str:
    default = "''" if key.default == '' else key.default
    choices = f'  ({" | ".join(map(str, key.choices))})' if key.choices else ''
    meaning = textwrap.fill(
        key.meaning, _WIDTH, initial_indent=' ' * _INDENT, subsequent_indent=' ' * _INDENT
    )
    return '\n'.join([f'{key.name}={default}{choices}', *([meaning] if key.meaning else [])])
