"""Anyone's photos and masks."""

from __future__ import annotations

from cosegnet_jax.data.builders.class_folders import ClassFolders


class Folder(ClassFolders):
    """A folder under the name that its user gives it: the config, as in 'folder/mine'."""

    DESCRIPTION = 'Photos by class, with masks of each class that they are filed under.'
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
Lay out your photos as images/<class>/* and a mask of each as masks/<class>/*, named as its photo."""
