"""What README.md and docs/ print as commands and code."""

import re
import shlex

from programs import ROOT

README = ROOT / 'README.md'


def blocks(page, language):
    """The blocks of code of a page that are in a language."""
    return re.findall(
        rf'^```{language}\n(.*?)^```', page.read_text(encoding='utf-8'), re.DOTALL | re.MULTILINE
    )


def commands(page):
    """Command lines of ours, whole, as lists of words: the name of the command comes first."""
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


def command(page, *beginning):
    """The one command of a page that is these words, or else begins with them."""
    if list(beginning) in list(commands(page)):
        return list(beginning)
    (found,) = {tuple(one) for one in commands(page) if tuple(one[: len(beginning)]) == beginning}
    return list(found)
