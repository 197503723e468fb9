"""The commands and the code of README.md and docs/ are such that there is, down to each flag and key."""

import re

import pytest
from printed import blocks, commands
from programs import ROOT

from cosegnet_jax import config as configs
from cosegnet_jax.cli import COMMANDS

PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
EVERYWHERE = {'help', 'version', 'keep_compiled', 'nokeep_compiled'}


def flags_of(name):
    source = (ROOT / 'cosegnet_jax' / 'cli' / f'{name.replace("-", "_")}.py').read_text()
    own = set(re.findall(r"DEFINE_\w+\(\s*'(\w+)'", source))
    return own | set(COMMANDS[name].shared) | EVERYWHERE


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_commands_exist_and_so_do_their_flags_and_keys(page):
    for name, *words in commands(page):
        if name.startswith('-') or name == 'help':
            continue
        assert name in COMMANDS, name
        known = flags_of(name)
        for word in (word for word in words if word.startswith('--')):
            flag = word.lstrip('-').split('=')[0]
            if flag.startswith('config.'):
                configs.check_key(flag)
            else:
                assert flag in known, f'{name}: --{flag}'


def test_commands_are_found():
    assert ['predict', 'holiday'] in list(commands(ROOT / 'README.md'))
    assert sum(len(list(commands(page))) for page in PAGES) > 20


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_code_is_python(page):
    for block in blocks(page, 'python'):
        compile(block, page.name, 'exec')
