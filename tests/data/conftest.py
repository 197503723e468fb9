from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path) -> Path:
    """Folder for the files of a set; what is prepared of them goes beside it."""
    return tmp_path / 'my set'
