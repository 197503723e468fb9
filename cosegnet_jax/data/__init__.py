"""Photos and masks: reading, splitting, drawing and streaming batches."""

from __future__ import annotations

import dataclasses

from jax.sharding import Mesh

from cosegnet_jax.config import Config
from cosegnet_jax.data import array_file, folder, shapes, splits
from cosegnet_jax.data.batches import Sampler
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.masks import mask_rules
from cosegnet_jax.data.masks.mask_rules import MaskRules
from cosegnet_jax.data.sampling.balanced import BalancedSampler
from cosegnet_jax.data.sampling.triplets import TripletSampler
from cosegnet_jax.data.stored_images import Stored
from cosegnet_jax.data.thumbnails import first_copies
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError


def load(config: Config) -> Examples:
    """Load the data set that `config.data` names, at `config.image_size`.

    Raises:
        UserError: There is no such data set, or something in it cannot be used.
    """
    settings = config.data
    if settings.root:
        if settings.name == 'shapes':
            raise UserError(
                f'config.data.root={settings.root}: shapes are made, not read; '
                f'give the folder a name with config.data.name'
            )
        rules = MaskRules(mask_rules.parse(settings.mask_values), settings.mask_orientation)
        return dataclasses.replace(folder.load(settings.root, config.image_size, rules), name=settings.name)
    for key in ('mask_values', 'mask_orientation'):
        if getattr(settings, key) not in ('', 'auto'):
            raise UserError(
                f'config.data.{key}={getattr(settings, key)}: decides how the masks of config.data.root are '
                f'read; leave it out here, and give --{key} where a set is prepared'
            )
    if settings.name == 'shapes':
        return shapes.make(config.image_size, settings.images_per_class, config.seed)
    packed = array_file.path(settings.prepared_dir, settings.name, config.image_size)
    if settings.prepared_dir and packed.is_file():
        return array_file.read(packed)
    from cosegnet_jax.data import prepared_set  # here, since it needs TFDS and nothing else does

    try:
        return prepared_set.load(settings.name, settings.prepared_dir, config.image_size)
    except UserError as error:
        raise UserError(f'{error}; or set config.data.root to a folder of images and masks') from error


def part(examples: Examples, config: Config, name: str) -> Examples:
    """Select the 'train', 'validation' or 'test' part of `examples` under the configured split, or 'all'.

    Photos that are `Stored` are decoded once here if they fit into `config.data.memory_gib`.

    Raises:
        UserError: The part is empty, or the file of pinned splits does not fit the data.
    """
    settings = config.data
    if name != 'all':
        split = (
            splits.pinned(settings.split_file, examples.filenames, settings.split)
            if settings.split_file
            else draw_split(examples, config)
        )
        chosen = getattr(split, name)
        if not len(chosen):
            why = (
                f'{settings.split_file} lists none'
                if settings.split_file
                else 'add images: a class needs four to have some in the test part, and six in every part'
            )
            raise UserError(f'{examples.name}: no image in the {name} part; {why}')
        examples = examples.subset(chosen)
    fits = examples.nbytes <= settings.memory_gib * 2**30
    return examples.decoded() if isinstance(examples.images, Stored) and fits else examples


def draw_split(examples: Examples, config: Config) -> splits.Split:
    """The configured random split; near-identical photos of a class are in one part, if it is in memory."""
    split = splits.stratified(examples.labels, config.seed, config.data.split)
    if config.data.name == 'shapes' or isinstance(examples.images, Stored):
        return split  # drawn without copies; and not to be decoded twice
    return splits.keep_copies_together(split, first_copies(examples))


def sampler(examples: Examples, config: Config) -> Sampler:
    """Make the sampler that draws the batches of a run.

    Raises:
        UserError: The examples hold no pairs to draw.
    """
    rows = examples.labels, examples.visible, config.seed
    if config.data.sampler == 'balanced':
        return BalancedSampler(*rows, config.train.batch_classes, config.train.batch_images_per_class)
    return TripletSampler(*rows, config.train.batch_triplets)


def check_batch(config: Config, mesh: Mesh) -> tuple[int, int]:
    """Return the groups of a batch and the images of a group, before any data are read.

    Raises:
        UserError: The devices cannot share the groups evenly.
    """
    train = config.train
    if config.data.sampler == 'balanced':
        images = train.batch_classes * train.batch_images_per_class
        meshes.check_divides(mesh, images, 'config.train.batch_classes · config.train.batch_images_per_class')
        return images, 1
    meshes.check_divides(mesh, train.batch_triplets, 'config.train.batch_triplets')
    return train.batch_triplets, 3
