"""Where Gradio puts what is uploaded."""

from __future__ import annotations

import os
from typing import Any


def give_each_its_own_folder() -> None:
    """Has Gradio give every upload a folder of its own.

    Its folders are named by the content of a file, so that two visitors with the same photo would share one,
    and the photo would be gone for the second when it was taken for the first.
    """
    from gradio import route_utils

    class Upload(route_utils.GradioUploadFile):
        def __init__(self, *args: Any, **options: Any):
            super().__init__(*args, **options)
            self.sha.update(os.urandom(32))  # the name of the folder is made of it

    route_utils.GradioUploadFile = Upload
