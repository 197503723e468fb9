"""What threads of Orbax and TensorStore print, kept off stderr.

They read and write many arrays at a time. Where one of them fails, Orbax raises that error; but each of the
others that is still under way prints a traceback beside it.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from absl import logging as absl_logging

_print_unraisable = sys.unraisablehook


def silence() -> None:
    """Print only what Orbax does not raise."""
    absl_logging.get_absl_logger().addFilter(_is_no_failure_of_orbax)
    sys.unraisablehook = _print


def _is_no_failure_of_orbax(record: logging.LogRecord) -> bool:
    return not (record.exc_info and 'orbax' in record.pathname)


def _print(unraisable: Any) -> None:
    """Print errors as Python does, but not those of reads and writes that Orbax has given up."""
    code = getattr(unraisable.object, 'cr_code', None)  # of a coroutine that was given up
    given_up = code is not None and 'orbax' in code.co_filename
    if not given_up and str(unraisable.exc_value) != 'Event loop is closed':
        _print_unraisable(unraisable)
