"""What the entry points share: flags, the config, and errors as one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from absl import flags, logging
from ml_collections import ConfigDict, config_flags

from cosegnet_jax import config as configs
from cosegnet_jax.cli import config_files
from cosegnet_jax.runtime import distributed
from cosegnet_jax.runtime.errors import UserError, reported
from cosegnet_jax.runtime.optional_import import optional_import
from cosegnet_jax.runtime.places import local_path

_CONFIG = config_flags.DEFINE_config_file(
    'config', None, 'Experiment: a name, such as shapes, or a file.', lock_config=False
)
_WORKDIR = flags.DEFINE_string('workdir', None, 'Folder of the run.')


class _NameOrFile(flags.ArgumentParser):
    """Reads the config files of the package by name, too; `DEFINE_config_file` takes no parser."""

    def __init__(self, files: flags.ArgumentParser):
        self._files = files

    def parse(self, argument: str) -> ConfigDict:
        return self._files.parse(str(config_files.file_of(argument)))


flags.FLAGS['config'].parser = _NameOrFile(flags.FLAGS['config'].parser)


def run(command: str) -> None:
    """Start a command of the package, such as 'train', with the flags of the command line."""
    with reported(UserError):
        module = optional_import(f'cosegnet_jax.cli.{command}', 'train')
    start(module.main)


def start(main: Callable[[], None]) -> None:
    """Parses the command line and calls `main()`, which asks for what it needs: `config()`, `workdir()`.

    Before that, the processes of a job join each other; see `distributed.start`. --help prints the docstring
    and the flags of the module that `main` is from, and ends the program.

    What the user can put right ends the program with status 2 and one line; anything else is a bug and
    shows its traceback.
    """
    logging.set_verbosity(logging.ERROR)  # Orbax warns of what it was asked to do
    with reported(UserError):
        _parse(sys.argv, main.__module__)
        distributed.start()
        main()


def config() -> configs.Config:
    """The resolved config that the command line names.

    Raises:
        UserError: None was named, or it is no config, or has a wrong key or value.
    """
    if not _CONFIG.present:
        raise UserError('--config=NAME is missing: name an experiment, such as shapes, or a file')
    raw = _CONFIG.value
    if not isinstance(raw, ConfigDict):
        file = config_file()
        if not file.is_file():
            raise UserError(f'--config={file}: no such file')
        raise UserError(f'--config={file}: get_config() must return what cosegnet_jax.config.default() makes')
    return configs.resolve(raw)


def config_file() -> Path:
    """The file of `config()`."""
    return config_files.file_of(config_flags.get_config_filename(flags.FLAGS['config']))


def refuse_config() -> None:
    """For programs that take the config from elsewhere, or need none.

    Raises:
        UserError: One was named, which would not be read.
    """
    if _CONFIG.present:
        raise UserError('--config: not read here; leave it out')


def run_folder() -> Path:
    """The folder of a finished run, for programs that only read it.

    Raises:
        UserError: None was named, or not on this machine.
    """
    if not _WORKDIR.value:
        raise UserError('--workdir=DIR is missing: name the folder of the run')
    return local_path(_WORKDIR.value, '--workdir=')


def workdir() -> Path:
    """The folder of the run, made if it is missing.

    Raises:
        UserError: None was named, or it cannot be written.
    """
    return writable('workdir', str(run_folder()))


def writable(flag: str, name: str) -> Path:
    """The folder that a flag names, made if it is missing.

    Raises:
        UserError: It cannot be written.
    """
    folder = local_path(name, f'--{flag}=')
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f'--{flag}={folder}: {error.strerror}; name a folder that can be written') from error
    if not os.access(folder, os.W_OK):
        raise UserError(f'--{flag}={folder}: no permission to write; name another folder')
    return folder


def _parse(argv: list[str], module: str) -> None:
    """Refuses what is no flag, or no key of a config."""
    if '--help' in argv[1:]:
        texts = (sys.modules[module].__doc__, *map(flags.FLAGS.module_help, (__name__, module)))
        print('\n\n'.join(text.strip() for text in texts if text))
        sys.exit(0)
    for argument in argv[1:]:
        if argument.lstrip('-').startswith('config.'):
            configs.check_key(argument.lstrip('-').split('=')[0])
    try:
        rest = flags.FLAGS(argv)
    except Exception as error:  # a config file is the user's own code, and may raise anything
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(' … '.join(dict.fromkeys([lines[0], lines[-1].strip()]))) from error
    if rest[1:]:
        raise UserError(f'{rest[1]}: not a flag; flags look like --workdir=DIR or --config.key=value')
