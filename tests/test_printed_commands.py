"""The commands and the code of README.md and docs/ are such that there is, down to each flag and key."""

import re
import shlex

import pytest
from programs import ROOT

from cosegnet_jax import config as configs
from cosegnet_jax.cli import COMMANDS

PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
EVERYWHERE = {'help', 'version', 'keep_compiled', 'nokeep_compiled'}


def blocks(page, language):
    return re.findall(
        rf'^```{language}\n(.*?)^```', page.read_text(encoding='utf-8'), re.DOTALL | re.MULTILINE
    )


def commands(page):
    """Command lines of ours, whole, as lists of words."""
    for block in blocks(page, 'bash'):
        for line in block.replace('\\\n', ' ').splitlines():
            words = shlex.split(line.replace('[', ' ').replace(']', ' '), comments=True)
            start = next(
                (i for i, word in enumerate(words) if word.endswith(('cosegnet', 'train.py', 'eval.py'))),
                None,
            )
            if start is None:
                continue
            program = words[start].split('/')[-1]
            yield (
                [program.removesuffix('.py'), *words[start + 1 :]]
                if program.endswith('.py')
                else words[start + 1 :]
            )


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
