"""The PASCAL-VOC co-segmentation set of Faktor and Irani (2013), on which CoSegNet was trained."""

from __future__ import annotations

from cosegnet_jax.data.builders.base import Published
from cosegnet_jax.data.builders.class_folders import ClassFolders


class PascalCoseg(ClassFolders):
    """1,037 images in 20 class folders: 924 photos, of which 107 are in several."""

    DESCRIPTION = 'Photos of PASCAL VOC 2010 by class, with masks of each class that they are filed under.'
    HOMEPAGE = 'http://host.robots.ox.ac.uk/pascal/VOC/voc2010/'
    CITATION = """\
@inproceedings{faktor2013cosegmentation,
  title = {Co-segmentation by Composition},
  author = {Faktor, Alon and Irani, Michal},
  booktitle = {IEEE International Conference on Computer Vision (ICCV)},
  year = {2013}
}"""
    LICENSE = "Photos from Flickr, under its terms of use; of the selection: see its authors' page."
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
Published with "Co-segmentation by Composition" (Faktor and Irani, ICCV 2013); see its authors' page, since
there is no lasting public archive with a known checksum. Lay it out as images/<class>/* and masks/<class>/*,
each mask named as its photo."""
    published = Published(classes=20, images=1037)
