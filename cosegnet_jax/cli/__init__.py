"""The commands of `cosegnet NAME`: the module of each name has its usage, its flags and its `main`.

Only the module of the command that runs is imported: flags are global, and commands share names of them.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Command:
    """What `cosegnet` knows of a command before it imports its module."""

    about: str
    words: str = ''  # what follows the name besides flags; '' for nothing
    shared: tuple[str, ...] = ()  # flags that several commands have and this one reads
    config_from: tuple[str, ...] = ()  # flags that may stand in for --config, the first that is given
    resumes: bool = False  # whether the same command continues what was stopped
    keeps_compiled: bool = True  # whether compiled programs are kept; not where compiling is measured


COMMANDS = {
    'predict': Command('find what photos have in common', 'PHOTOS...', ('model',), resumes=True),
    'examples': Command('draw pictures to try it on', 'FOLDER', keeps_compiled=False),
    'serve': Command('the same on a web page', shared=('model',)),
    'train': Command('train a network', shared=('config', 'workdir'), resumes=True),
    'eval': Command(
        'score a network, or make the tables of the paper from many runs',
        shared=('config', 'workdir', 'model'),
        config_from=('model', 'workdir'),
    ),
    'sweep': Command(
        'train and score variants of a config on several splits', shared=('config', 'workdir'), resumes=True
    ),
    'prepare': Command(
        'check a published set, or your own photos, and store it for training', 'SET', keeps_compiled=False
    ),
    'list-splits': Command(
        'print the random splits of a config by file name', shared=('config',), keeps_compiled=False
    ),
    'config': Command(
        'list the keys of a config, their meaning and default', '[PATTERN]', keeps_compiled=False
    ),
    'export': Command('write a trained network as files that others can load', shared=('model',)),
    'benchmark': Command(
        'measure speed and memory', shared=('config', 'model'), config_from=('model',), keeps_compiled=False
    ),
}
