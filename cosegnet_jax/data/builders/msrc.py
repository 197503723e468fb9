"""The seven classes of the MSRC object category images that co-segmentation is compared on."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import tensorflow_datasets as tfds

from cosegnet_jax.data import folder
from cosegnet_jax.data.builders.base import Published
from cosegnet_jax.data.builders.class_folders import ClassFolders

CLASSES = ('bird', 'car', 'cat', 'cow', 'dog', 'plane', 'sheep')


class Msrc(ClassFolders):
    """7 classes × 10 images, or all images found."""

    VERSION = tfds.core.Version('1.1.0')
    RELEASE_NOTES: ClassVar = {'1.0.0': 'First release.', '1.1.0': 'Ten of a class are the first by name.'}
    DESCRIPTION = 'Photos by class, with masks of each class that they are filed under.'
    HOMEPAGE = 'https://www.microsoft.com/en-us/research/project/image-understanding/'
    CITATION = """\
@inproceedings{shotton2006textonboost,
  title = {TextonBoost: Joint Appearance, Shape and Context Modeling for Multi-class Object Recognition and
    Segmentation},
  author = {Shotton, Jamie and Winn, John and Rother, Carsten and Criminisi, Antonio},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year = {2006}
}"""
    LICENSE = "See the publisher's page."
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
Download the pixel-wise labeled image database v2 from
https://www.microsoft.com/en-us/research/project/image-understanding/ and lay it out as images/<class>/* and
masks/<class>/*, each mask named as its photo; docs/data.md says how to get masks from the colored ones."""
    BUILDER_CONFIGS: ClassVar = [
        tfds.core.BuilderConfig(name='ten', description='Ten images of each of the seven classes.'),
        tfds.core.BuilderConfig(name='all', description='Every class and image found.'),
    ]

    @property
    def published(self) -> Published | None:
        """Counts of the subset 'ten'; publications differ in the count of all images."""
        if self.config_name == 'all':
            return None
        return Published(classes=7, images=70, images_of=dict.fromkeys(CLASSES, 10))

    def listing(self, root: Path) -> folder.Listing:
        """List all class folders, or the first ten images, by name, of each of the seven classes.

        No publication lists its ten images.
        """
        classes, problems, left_out = super().listing(root)
        if self.config_name == 'ten':
            classes = {name: classes[name][:10] for name in CLASSES if name in classes}
        return folder.Listing(classes, problems, left_out)
