import logging
import sys
import types

import pytest
from absl import logging as absl_logging

from cosegnet_jax.training import storage_threads


@pytest.fixture
def silenced(monkeypatch):
    """The names of what is printed all the same."""
    printed = []
    monkeypatch.setattr(sys, 'unraisablehook', sys.unraisablehook)
    monkeypatch.setattr(storage_threads, '_print_unraisable', lambda one: printed.append(str(one.exc_value)))
    storage_threads.silence()
    return printed


def unraisable(error, code=None):
    return types.SimpleNamespace(
        exc_value=error, object=types.SimpleNamespace(cr_code=code) if code else None
    )


def test_only_what_storage_no_longer_waits_for_is_silent(silenced):
    given_up = compile('', '/packages/orbax/reading.py', 'exec')
    for one in (
        unraisable(RuntimeError('Event loop is closed')),
        unraisable(RuntimeError('no loop'), given_up),
        unraisable(RuntimeError('no loop of others'), compile('', '/packages/other.py', 'exec')),
        unraisable(ValueError('of a destructor')),
    ):
        sys.unraisablehook(one)
    assert silenced == ['no loop of others', 'of a destructor']


@pytest.mark.parametrize(
    ('path', 'with_traceback', 'passes'),
    [('/orbax/a.py', True, False), ('/orbax/a.py', False, True), ('/other/a.py', True, True)],
)
def test_tracebacks_in_the_log_of_orbax_are_silent(silenced, path, with_traceback, passes):
    error = ValueError('x')
    trace = (ValueError, error, None) if with_traceback else None
    record = logging.LogRecord('absl', logging.ERROR, path, 1, 'failed', (), trace)
    assert bool(absl_logging.get_absl_logger().filter(record)) == passes
