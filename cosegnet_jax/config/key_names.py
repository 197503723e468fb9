"""Names of keys, and the one that a wrong name most likely means."""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Iterator
from typing import Any

from cosegnet_jax.config.keys import Config
from cosegnet_jax.runtime.errors import UserError


def fields(kind: Any, prefix: str = '') -> Iterator[tuple[str, Any]]:
    """List every key, such as 'train.steps', with its annotated type."""
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        if dataclasses.is_dataclass(hint):
            yield from fields(hint, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', hint


def all_keys() -> Iterator[str]:
    """List every key with its path, such as 'config.train.steps'."""
    return (f'config.{key}' for key, _ in fields(Config))


def check_key(key: str) -> None:
    """Refuse a path that is no key.

    Raises:
        UserError: With the nearest key that exists.
    """
    if key in all_keys():
        return
    near = nearest_key(key)
    raise UserError(
        f'{key}: no such key; {f"did you mean {near}?" if near else "`cosegnet config` lists them"}'
    )


# What other programs call a key.
_ALSO_CALLED = {
    'batch': 'config.train.batch_triplets',
    'batch_size': 'config.train.batch_triplets',
    'dataset': 'config.data.name',
    'epochs': 'config.train.steps',
    'iterations': 'config.train.steps',
    'max_steps': 'config.train.steps',
    'resolution': 'config.image_size',
    'size': 'config.image_size',
}


def nearest_key(name: str) -> str | None:
    """Find the key that a wrong name most likely means; None if no key is near.

    Args:
        name: A path such as 'config.train.stpes', or a wrong flag such as 'lr'.
    """
    known, last = list(all_keys()), name.split('.')[-1].replace('-', '_')
    if near := difflib.get_close_matches(name, known, 1, 0.8):  # a misspelt word of the path
        return near[0]
    if last in _ALSO_CALLED:
        return _ALSO_CALLED[last]
    words = {key: key.split('.')[-1] for key in known}
    initials = {key: ''.join(part[0] for part in word.split('_')) for key, word in words.items()}
    close = difflib.get_close_matches(last, words.values(), 1, 0.8)
    fits = [key for key in known if words[key] in close or (len(last) > 1 and initials[key] == last)]
    return fits[0] if fits else None
