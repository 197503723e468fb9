"""Photos and masks: reading, splitting, drawing triplets, streaming batches."""

from __future__ import annotations

import dataclasses

from cosegnet_jax.config import Config
from cosegnet_jax.data import folder, shapes
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.splits import stratified
from cosegnet_jax.errors import UserError


def load(config: Config) -> Examples:
    """The whole data set that `config.data` names, at `config.image_size`.

    Raises:
        UserError: There is no such data set, or something in it cannot be used.
    """
    if config.data.name == 'shapes':
        if config.data.root:
            raise UserError(
                f'config.data.root={config.data.root}: shapes are made, not read; '
                f'give the folder a name with config.data.name'
            )
        return shapes.make(config.image_size, config.data.images_per_class, config.seed)
    if not config.data.root:
        raise UserError(
            f'config.data.name={config.data.name}: set config.data.root to the folder that holds '
            f'images/<class>/* and masks/<class>/*.png'
        )
    return dataclasses.replace(folder.load(config.data.root, config.image_size), name=config.data.name)


def part(examples: Examples, config: Config, name: str) -> Examples:
    """The 'train', 'validation' or 'test' part of `examples` under the configured split, or 'all' of them.

    Raises:
        UserError: The classes are so small that the part is empty.
    """
    if name == 'all':
        return examples
    chosen = getattr(stratified(examples.labels, config.seed, config.data.split), name)
    if not len(chosen):
        raise UserError(
            f'{examples.name}: no image in the {name} part; add images: '
            f'a class needs four to have some in the test part, and six in every part'
        )
    return examples.subset(chosen)
