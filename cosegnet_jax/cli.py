"""What the entry points share: flags, the config, and errors as one line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from absl import flags, logging
from ml_collections import config_flags

from cosegnet_jax import config as configs
from cosegnet_jax.errors import UserError

_CONFIG = config_flags.DEFINE_config_file(
    'config', None, 'Experiment, such as configs/shapes.py.', lock_config=False
)
_WORKDIR = flags.DEFINE_string('workdir', None, 'Folder of the run.')
flags.mark_flags_as_required(['config', 'workdir'])


def run(main: Callable[[configs.Config, Path], None]) -> None:
    """Parses the command line and calls `main(config, workdir)`.

    What the user can put right ends the program with status 2 and one line; anything else is a bug and
    shows its traceback.
    """
    logging.set_verbosity(logging.WARNING)  # Orbax tells of every file at INFO
    try:
        config, workdir = parse(sys.argv)
        main(config, workdir)
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)


def parse(argv: list[str]) -> tuple[configs.Config, Path]:
    """The resolved config and the folder of the run that a command line names.

    Raises:
        UserError: A wrong flag, key or value.
    """
    for argument in argv[1:]:
        if argument.lstrip('-').startswith('config.'):
            configs.check_key(argument.lstrip('-').split('=')[0])
    try:
        rest = flags.FLAGS(argv)
    except (flags.Error, FileNotFoundError, TypeError, ValueError) as error:
        raise UserError(' '.join(str(error).split())) from error
    if rest[1:]:
        raise UserError(f'{rest[1]}: not a flag; flags look like --workdir=DIR or --config.key=value')
    return configs.resolve(_CONFIG.value), Path(_WORKDIR.value)
