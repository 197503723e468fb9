"""The CMU-Cornell iCoseg set of Batra et al. (2010)."""

from __future__ import annotations

from pathlib import Path

from cosegnet_jax.data import folder
from cosegnet_jax.data.builders.base import Published
from cosegnet_jax.data.builders.class_folders import ClassFolders


class Icoseg(ClassFolders):
    """643 images in 38 groups; the images of a group show the same thing, often on the same day."""

    DESCRIPTION = 'Groups of related photos, with masks of what is common to the group.'
    HOMEPAGE = 'http://chenlab.ece.cornell.edu/projects/touch-coseg/'
    CITATION = """\
@inproceedings{batra2010icoseg,
  title = {iCoseg: Interactive Co-segmentation with Intelligent Scribble Guidance},
  author = {Batra, Dhruv and Kowdle, Adarsh and Parikh, Devi and Luo, Jiebo and Chen, Tsuhan},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2010}
}"""
    LICENSE = "See the publisher's page."
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
Download CMU_Cornell_iCoseg_dataset.zip from http://chenlab.ece.cornell.edu/projects/touch-coseg/ and unpack
it. Its folder dataset_public holds images/<group>/* and ground_truth/<group>/*."""
    published = Published(classes=38, images=643)

    def listing(self, root: Path) -> folder.Listing:
        """List all groups."""
        return folder.listing(root / 'images', root / 'ground_truth')
