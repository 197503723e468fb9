"""The installed command: `cosegnet NAME [--flag=value ...]`, or `python -m cosegnet_jax NAME ...`."""

from __future__ import annotations

import sys

from cosegnet_jax import __version__
from cosegnet_jax.cli import COMMANDS
from cosegnet_jax.runtime.errors import UserError, reported, suggest


def main() -> None:
    """Start the command that the first word names, or list all commands."""
    name, *rest = sys.argv[1:] or ['help']
    if name == 'help' and rest:
        name, rest = rest[0], ['--help']
    if name in ('help', '--help', '-h'):
        print(_listed())
        return
    if name == '--version' or '--version' in rest:
        print(f'cosegnet {__version__}')
        return
    with reported(UserError):
        _check(name)
    sys.argv[1:] = rest
    from cosegnet_jax.cli import command_line  # brings JAX, which a list of commands need not wait for

    command_line.run(name)


def _listed() -> str:
    width = max(map(len, COMMANDS))
    lines = [f'  {name:{width}}  {command.about}' for name, command in COMMANDS.items()]
    return '\n'.join(
        [
            'Find what photos have in common: cosegnet predict PHOTOS',
            '',
            'Usage: cosegnet NAME [--flag=value ...]',
            '',
            *lines,
            '',
            '`cosegnet NAME --help` lists the flags of a command; `cosegnet --version` prints the version.',
        ]
    )


def _check(name: str) -> None:
    """Refuse what is no command.

    Raises:
        UserError: With the nearest command.
    """
    if name not in COMMANDS:
        raise UserError(f'{name}: no such command; {suggest(name, COMMANDS)}')


if __name__ == '__main__':
    main()
