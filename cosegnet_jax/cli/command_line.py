"""What the entry points share: flags, the config, and errors as one line."""

from __future__ import annotations

import dataclasses
import difflib
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import flags, logging
from ml_collections import ConfigDict, config_flags

from cosegnet_jax import config as configs
from cosegnet_jax.cli import COMMANDS, Command, config_files
from cosegnet_jax.cli.help_text import help_text
from cosegnet_jax.export import model_file, pretrained
from cosegnet_jax.runtime import compilation_cache, distributed
from cosegnet_jax.runtime.compilation_notice import CompilationNotice
from cosegnet_jax.runtime.errors import UserError, reported
from cosegnet_jax.runtime.optional_import import optional_import
from cosegnet_jax.runtime.places import local_path
from cosegnet_jax.training import run_files

_CONFIG = config_flags.DEFINE_config_file(
    'config', None, 'Name of an experiment, such as shapes, or a file.', lock_config=False
)
_WORKDIR = flags.DEFINE_string('workdir', None, 'Folder of the run.')
_KEEP_COMPILED = flags.DEFINE_bool(
    'keep_compiled',
    True,
    'Keep compiled programs in the cache folder of the user (yes); --nokeep_compiled or '
    f'{compilation_cache.VARIABLE}=off in the environment: compile at every start.',
)
_words: list[str] = []  # of the command line, besides flags


class _NameOrFile(flags.ArgumentParser):
    """Reads the config files of the package by name, too; `DEFINE_config_file` takes no parser."""

    def __init__(self, files: flags.ArgumentParser):
        self._files = files

    def parse(self, argument: str) -> ConfigDict | None:
        if Path(argument).name == run_files.CONFIG:
            return ConfigDict(dataclasses.asdict(run_files.read_config(Path(argument).parent)))
        if Path(argument).suffix == '.safetensors':
            return ConfigDict(dataclasses.asdict(model_file.read_config(Path(argument))))
        return self._files.parse(str(config_files.file_of(argument)))


flags.FLAGS['config'].parser = _NameOrFile(flags.FLAGS['config'].parser)


def run(command: str) -> None:
    """Start a command of the package, such as 'train', with the flags of the command line."""
    with reported(UserError):
        module = optional_import(f'cosegnet_jax.cli.{command.replace("-", "_")}', 'train')
    start(module.main)


def start(main: Callable[[], None]) -> None:
    """Parse the command line and call `main()`, which asks for `config()`, `workdir()` or `words()`.

    Before that, the processes of a job join each other; see `distributed.start`. --help prints the docstring
    and the flags of the module that `main` is from, and ends the program.

    What the user can put right ends the program with status 2 and one line; anything else is a bug and
    shows its traceback.
    """
    _quiet()
    name = main.__module__.split('.')[-1].replace('_', '-')
    # A script that is no command may read any flag.
    command = COMMANDS.get(name, Command('', shared=('config', 'workdir')))
    with reported(UserError, on_interrupt='the same command continues the work' if command.resumes else ''):
        _parse(sys.argv, name, command, main.__module__)
        if command.keeps_compiled and _KEEP_COMPILED.value:
            compilation_cache.enable()
        CompilationNotice()
        distributed.start()
        main()


def words() -> list[str]:
    """What the command line holds besides flags, such as folders of photos."""
    return _words


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


def is_given(key: str) -> bool:
    """Whether the command line has --config.KEY, such as 'data.name'."""
    return f'config.{key}' in flags.FLAGS and flags.FLAGS[f'config.{key}'].present > 0


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


def _quiet() -> None:
    """Keep out what other libraries warn of: it is for those who write programs."""
    logging.set_verbosity(logging.ERROR)  # Orbax warns of what it was asked to do
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    if not sys.warnoptions:
        warnings.simplefilter('ignore')
        warnings.filterwarnings('default', module='cosegnet_jax')


def _parse(argv: list[str], name: str, command: Command, module: str) -> None:
    """Refuse what is no flag of the command, or no key of a config."""
    own = flags.FLAGS.get_flags_for_module(module)
    if {'--help', '-h'} & set(argv[1:]):
        print(help_text(name, command, sys.modules[module].__doc__ or '', own))
        sys.exit(0)
    for argument in argv[1:]:
        if argument.lstrip('-').startswith('config.'):
            configs.check_key(argument.lstrip('-').split('=')[0])
    flags.FLAGS.set_gnu_getopt(True)  # flags may follow words
    argv = _with_config(argv, command.config_from)
    try:
        rest = flags.FLAGS(argv)
    except flags.UnrecognizedFlagError as error:
        raise UserError(_unknown(error.flagname, [one.name for one in own], command)) from error
    except Exception as error:  # a config file is the user's own code, and may raise anything
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(' … '.join(dict.fromkeys([lines[0], lines[-1].strip()]))) from error
    _words[:] = rest[1:]
    if _words and not command.words:
        raise UserError(f'{_words[0]}: not a flag; flags look like --workdir=DIR or --config.key=value')
    for shared in ('config', 'workdir'):
        if flags.FLAGS[shared].present and shared not in command.shared:
            hint = '; name the run by --model' if (shared, 'model') == ('workdir', *command.shared) else ''
            raise UserError(f'--{shared}: not read by cosegnet {name}{hint or "; leave it out"}')


def _with_config(argv: list[str], flags_for_it: Sequence[str]) -> list[str]:
    """The command line with --config=FILE of the run or network that it names, where it has no --config."""
    named = [(flag, value) for flag in flags_for_it if (value := _value_of(flag, argv))]
    if not named or _value_of('config', argv):
        return argv
    flag, value = named[0]
    file = pretrained.config_file(value) if flag == 'model' else local_path(value) / run_files.CONFIG
    # First, since it is what makes the flags --config.key known.
    return [argv[0], f'--config={file}', *argv[1:]] if file.is_file() else argv


def _value_of(flag: str, argv: list[str]) -> str | None:
    """What a flag is set to on a command line that is not parsed yet."""
    for number, argument in enumerate(argv[1:], 1):
        name, equals, value = argument.lstrip('-').partition('=')
        if argument.startswith('-') and name == flag:
            return value if equals else next(iter(argv[number + 1 :]), None)
    return None


def _unknown(flag: str, own: list[str], command: Command) -> str:
    """One line for a flag that does not exist, with what it most likely means."""
    near = difflib.get_close_matches(flag.replace('-', '_'), [*own, *command.shared], 1, 0.7)
    if near:
        return f'--{flag}: no such flag; did you mean --{near[0]}?'
    if 'config' in command.shared and (key := configs.nearest_key(flag)):
        return f'--{flag}: no such flag; did you mean --{key}?'
    return f'--{flag}: no such flag; --help lists the flags'
