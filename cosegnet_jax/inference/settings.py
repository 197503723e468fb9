"""How a collection was grouped and cut out, remembered in OUT/.described/settings.json.

So a later call that names fewer flags does not fall back to their defaults.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, get_args

from cosegnet_jax.inference import cache
from cosegnet_jax.inference.cosegmentation import MASK_THRESHOLD
from cosegnet_jax.inference.group_folders import Kind
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError


@dataclasses.dataclass(frozen=True)
class Settings:
    """The choices of `cosegnet predict` that change what is written."""

    threshold: float = 0.5  # mean probability of sharing an object from which photos are a group
    mask_threshold: float = MASK_THRESHOLD  # a pixel belongs to the object from this probability on
    neighbors: int = 0  # photos that look alike, with which each is compared; 0 compares all
    annotations: tuple[str, ...] = ()  # names of formats
    keep_outliers: bool = False  # whether photos that belong to no group keep their masks
    refine: bool = False  # whether masks follow the edges of the photo
    groups: Kind = 'links'  # what the folder of a group holds

    def __str__(self) -> str:
        """As flags."""
        shown = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is True:
                shown.append(f'--{field.name}')
            elif field.name.endswith('threshold') or value != field.default:
                shown.append(f'--{field.name}={",".join(value) if isinstance(value, tuple) else value}')
        return ' '.join(shown)


def remembered(out: Path) -> Settings:
    """The settings of the last call; the defaults where there was none.

    Raises:
        UserError: They cannot be read.
    """
    path = _file(out)
    if not cache.is_output(out):
        return Settings()
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
        if type(found['annotations']) is not list:
            raise ValueError('no list of formats')
        settings = Settings(**{**found, 'annotations': tuple(found['annotations'])})
        _check(settings)
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f'{path}: damaged; delete it to begin with the defaults') from error
    return settings


def _check(settings: Settings) -> None:
    levels = (settings.threshold, settings.mask_threshold)
    if not all(type(level) in (int, float) and 0 <= level <= 1 for level in levels):
        raise ValueError('a threshold that is no probability')
    if type(settings.neighbors) is not int or settings.neighbors < 0:
        raise ValueError('a number of neighbors that is none')
    if not all(isinstance(name, str) for name in settings.annotations):
        raise ValueError('a name of a format that is none')
    if not all(type(choice) is bool for choice in (settings.keep_outliers, settings.refine)):
        raise ValueError('neither yes nor no')
    if settings.groups not in get_args(Kind):
        raise ValueError('a kind of groups that is none')


def changed(settings: Settings, **given: Any) -> Settings:
    """The same with what is not None in its place."""
    return dataclasses.replace(
        settings, **{name: value for name, value in given.items() if value is not None}
    )


def remember(out: Path, settings: Settings) -> None:
    """Keeps them for the next call.

    Raises:
        UserError: They cannot be written.
    """
    files.write_json(_file(out), dataclasses.asdict(settings))


def _file(out: Path) -> Path:
    return out / cache.FOLDER / 'settings.json'
