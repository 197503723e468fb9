"""The installed command: `cosegnet NAME [--flag=value ...]`, or `python -m cosegnet_jax NAME …`."""

from __future__ import annotations

import difflib
import sys

from cosegnet_jax.cli import COMMANDS
from cosegnet_jax.runtime.errors import UserError, reported


def main() -> None:
    """Starts the command that the first word names; without one, or with --help, lists them."""
    name = sys.argv[1] if len(sys.argv) > 1 else '--help'
    if name in ('--help', '-h'):
        print(_listed())
        return
    with reported(UserError):
        _check(name)
    del sys.argv[1]  # the rest are flags of the command
    from cosegnet_jax.cli import command_line  # brings JAX, which a list of commands need not wait for

    command_line.run(name)


def _listed() -> str:
    width = max(map(len, COMMANDS))
    lines = [f'  {name:{width}}  {about}' for name, about in COMMANDS.items()]
    return '\n'.join(['cosegnet NAME [--flag=value ...]', '', *lines, '', 'cosegnet NAME --help says more.'])


def _check(name: str) -> None:
    """Refuses what is no command.

    Raises:
        UserError: With the nearest command.
    """
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f'did you mean {near[0]}?' if near else f'there are {", ".join(COMMANDS)}'
        raise UserError(f'{name}: no such command; {hint}')


if __name__ == '__main__':
    main()
