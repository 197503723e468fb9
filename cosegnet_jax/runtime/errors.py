"""The one exception that is meant for the person at the keyboard, and how a program ends with it."""

from __future__ import annotations

import contextlib
import difflib
import errno
import os
import sys
from collections.abc import Collection, Iterator
from unicodedata import category

# Control characters, what is left of names that are not UTF-8, marks that turn the direction of what follows
# or are not seen, and ends of lines and paragraphs.
_CODES = frozenset({'Cc', 'Cs', 'Cf', 'Zl', 'Zp'})
_JOINERS = '\u200c\u200d'  # of those marks, what the spelling of Persian and many an emoji take


_PIPE_CLOSED = 141  # what shells report of a program that ends so


class UserError(Exception):
    """Something the user can put right: one line that says what is wrong, where, and what to do.

    The entry points print its text without a traceback and exit with status 2. It stays one line where it
    quotes what others wrote: see `printable`.
    """

    def __init__(self, text: str):
        super().__init__(printable(text))


class Stopped(UserError):  # noqa: N818 (a wish, not an error)
    """Somebody asked a program to stop, and it has saved what it had."""


@contextlib.contextmanager
def reported(*kinds: type[Exception], on_interrupt: str = '') -> Iterator[None]:
    """End the program with status 2 and one line where an exception of `kinds` arises inside.

    A full disk does the same, whatever was being written. Where nobody reads on what it prints, it ends with
    status 141 and no line. Ctrl-C ends it with status 130 and a line, which adds what `on_interrupt` says;
    anything else is a bug and shows its traceback.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # as `cosegnet predict … | head` closes it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python says so when it ends
        sys.exit(_PIPE_CLOSED)
    except kinds as error:
        print(f'error: {printable(str(error))}', file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        if not _is_full_disk(error):
            raise
        print(f'error: no space left on the disk{_file(error)}; free some, and start again', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f'\nstopped{on_interrupt and f"; {on_interrupt}"}', file=sys.stderr)
        sys.exit(130)


def suggest(name: str, known: Collection[str]) -> str:
    """The end of a message about a name that does not exist: the nearest one that does, or all of them."""
    near = difflib.get_close_matches(name, known, 1)
    return f'did you mean {near[0]}?' if near else f'there are {", ".join(known)}'


def _is_full_disk(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error, whatever a library has made of it."""
    while error is not None:
        if getattr(error, 'errno', None) in (errno.ENOSPC, errno.EDQUOT):
            return True
        if 'no space left on device' in str(error).lower():
            return True
        error = error.__cause__ or error.__context__
    return False


def _file(error: BaseException) -> str:
    name = getattr(error, 'filename', None)
    return f' for {printable(str(name))}' if name else ''


def printable(text: str) -> str:
    """One line for a terminal of what others wrote: names of files may hold line ends, and codes to obey."""
    return ''.join(
        '\N{REPLACEMENT CHARACTER}' if category(letter) in _CODES and letter not in _JOINERS else letter
        for letter in text
    )


def first_line(error: Exception) -> str:
    """The beginning of what another library has to say, which may be pages or nothing."""
    return next(iter(str(error).strip().splitlines()), '')[:160]
