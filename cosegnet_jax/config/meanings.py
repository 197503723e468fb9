"""Every key with its meaning, as the comments in keys.py say it."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import io
import tokenize
import typing
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from cosegnet_jax.config import keys


class Key(NamedTuple):
    """One line of a list of keys."""

    name: str  # such as 'config.train.steps'
    default: Any
    meaning: str
    choices: tuple[Any, ...]  # () where any value of the type is one


def described() -> Iterator[Key]:
    """List all keys, in the order of keys.py."""
    yield from _of(keys.Config(), 'config', _comments())


def _of(part: Any, prefix: str, comments: dict[tuple[str, str], str]) -> Iterator[Key]:
    kind = type(part)
    for name, hint in typing.get_type_hints(kind).items():
        value = getattr(part, name)
        if dataclasses.is_dataclass(hint):
            yield from _of(value, f'{prefix}.{name}', comments)
            continue
        choices = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
        yield Key(f'{prefix}.{name}', value, comments[kind.__name__, name], choices)


def _comments() -> dict[tuple[str, str], str]:
    """Read the comment beside each field of each class; '' where there is none."""
    source = inspect.getsource(keys)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    by_line = {
        token.start[0]: token.string.lstrip('# ') for token in tokens if token.type == tokenize.COMMENT
    }
    return {
        (kind.name, ast.unparse(field.target)): ' '.join(
            by_line[line] for line in range(field.lineno, (field.end_lineno or 0) + 1) if line in by_line
        )
        for kind in ast.parse(source).body
        if isinstance(kind, ast.ClassDef)
        for field in kind.body
        if isinstance(field, ast.AnnAssign)
    }
