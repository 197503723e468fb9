"""How far a long work is, on a terminal and in a file."""

from __future__ import annotations

import sys
import time
from typing import Any

from tqdm import tqdm

_LINE_EVERY_S = 10.0  # where there is no terminal
_WITHOUT_RATE = '{desc}: {n_fmt} of {total_fmt} {unit}{postfix}'
_WITH_RATE = _WITHOUT_RATE + ', {rate_fmt}, {remaining} left'


class Progress(tqdm):
    """A bar on a terminal; elsewhere a line now and then, on the standard error.

    The rate is the mean since `restart_clock`, which is called when what is done only once is over, such as
    compiling: until then no time is promised.
    """

    def __init__(self, what: str, total: int, unit: str, done: int = 0, silent: bool = False):
        self._terminal = sys.stderr.isatty()
        self._rated, self._said, self._line_at = False, -1, 0.0
        options: dict[str, Any] = {} if self._terminal else {'mininterval': _LINE_EVERY_S}
        form = ('{percentage:3.0f}% |{bar}| ' if self._terminal else '') + _WITHOUT_RATE
        super().__init__(
            desc=what,
            total=total,
            initial=done,
            unit=unit,
            smoothing=0,
            dynamic_ncols=True,
            bar_format=form,
            disable=silent,
            **options,
        )

    def __del__(self):
        pass  # `with` closes it; tqdm would close it again, also where its __init__ did not run

    def restart_clock(self) -> None:
        """Measure the rate from here on, and predict the end."""
        if self._rated or self.disable:
            return
        self._rated = True
        self.bar_format = self.bar_format.replace(_WITHOUT_RATE, _WITH_RATE)
        self.start_t, self.initial = time.time(), self.n

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Draw the bar, or print a line where there is no terminal."""
        if self._terminal:
            super().display(msg, pos)
            return True
        now = time.monotonic()
        if self.n != self._said and (self.n == self.total or now >= self._line_at):
            self._said, self._line_at = self.n, now + _LINE_EVERY_S
            print(str(self), file=sys.stderr, flush=True)
        return True

    def clear(self, nolock: bool = False) -> None:
        """Make room for another line."""
        if self._terminal:
            super().clear(nolock)

    def close(self) -> None:
        """End the bar."""
        if self._terminal or self.disable:
            super().close()
            return
        self._line_at = 0.0
        self.display()
        self.disable = True
        self._decr_instances(self)  # pyright: ignore[reportAttributeAccessIssue] of tqdm, which has no types
