"""TFDS builders of the sets that co-segmentation is trained and compared on."""

from __future__ import annotations

import re
from pathlib import Path

import tensorflow_datasets as tfds

from cosegnet_jax.data.builders.base import CosegBuilder
from cosegnet_jax.data.builders.icoseg import Icoseg
from cosegnet_jax.data.builders.internet import Internet
from cosegnet_jax.data.builders.msrc import Msrc
from cosegnet_jax.data.builders.own_folder import Folder
from cosegnet_jax.data.builders.pascal_coseg import PascalCoseg
from cosegnet_jax.data.builders.shapes import Shapes
from cosegnet_jax.data.builders.voc2012 import Voc2012
from cosegnet_jax.data.masks.mask_rules import BY_FILE, MaskRules
from cosegnet_jax.runtime.errors import UserError, suggest

_PUBLISHED = {kind.name: kind for kind in (PascalCoseg, Internet, Msrc, Icoseg, Voc2012, Shapes)}


def names() -> list[str]:
    """List the sets that `make` knows, except folders of the user."""
    configs = [f'{name}/{config}' for name, kind in _PUBLISHED.items() for config in kind.builder_configs]
    return sorted([*_PUBLISHED, *configs])


def make(name: str, data_dir: str | Path, rules: MaskRules = BY_FILE) -> CosegBuilder:
    """Make the builder of a set.

    Args:
        name: One of `names()`, or 'folder/NAME' with any NAME for photos of the user.
        data_dir: Folder of prepared sets; '' is that of TFDS.
        rules: How to read masks when the set is prepared.

    Raises:
        UserError: There is no such set; the message has the nearest name.
    """
    kind, _, config = name.partition('/')
    place = data_dir or None
    if kind == Folder.name:
        if not re.fullmatch(r'\w[\w.-]*', config):
            raise UserError(f'{name}: name your set folder/NAME, with a NAME of letters, digits, _, - and .')
        builder = Folder(config=tfds.core.BuilderConfig(name=config), data_dir=place)
        builder.rules = rules
        return builder
    if name not in names():
        known = [*names(), f'{Folder.name}/{config or "NAME"}']
        raise UserError(f'{name}: no such data set; {suggest(name, known)}')
    builder = _PUBLISHED[kind](config=config or None, data_dir=place)
    builder.rules = rules
    return builder
