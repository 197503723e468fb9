"""The Internet set of Rubinstein et al. (2013): what an image search for a word found, outliers and all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from cosegnet_jax.data import folder
from cosegnet_jax.data.builders.base import Published
from cosegnet_jax.data.builders.class_folders import ClassFolders
from cosegnet_jax.runtime.errors import UserError

_FOLDERS = {'airplane': 'Airplane100', 'car': 'Car100', 'horse': 'Horse100'}


class Internet(ClassFolders):
    """The 3 × 100 images that co-segmentation is compared on; the mask of an outlier is empty."""

    DESCRIPTION = 'Results of image searches for airplane, car and horse; some do not show it.'
    HOMEPAGE = 'https://people.csail.mit.edu/mrub/ObjectDiscovery/'
    CITATION = """\
@inproceedings{rubinstein2013unsupervised,
  title = {Unsupervised Joint Object Discovery and Segmentation in Internet Images},
  author = {Rubinstein, Michael and Joulin, Armand and Kopf, Johannes and Liu, Ce},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2013}
}"""
    LICENSE = "See the publisher's page; the photos belong to their owners."
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
Download ObjectDiscovery-data.zip from https://people.csail.mit.edu/mrub/ObjectDiscovery/ and unpack it. Its
folder Data holds Airplane100, Car100 and Horse100, each with photos and, in GroundTruth, their masks."""
    published = Published(
        classes=3,
        images=300,
        images_of=dict.fromkeys(_FOLDERS, 100),
        outliers_of={'airplane': 18, 'car': 11, 'horse': 7},
    )

    def listing(self, root: Path) -> folder.Listing:
        """List the folders of 100 images; larger ones beside them are skipped."""
        classes, problems = {}, []
        for name, directory in _FOLDERS.items():
            images = root / directory
            if not images.is_dir():
                raise UserError(f'{images}: no such folder; name the folder Data of the unpacked archive')
            classes[name], unpaired = folder.pair_up(images, images / 'GroundTruth')
            problems += unpaired
        return folder.Listing(classes, problems, Counter())
