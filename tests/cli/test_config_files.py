import pytest

from cosegnet_jax.cli import config_files
from cosegnet_jax.runtime.errors import UserError


@pytest.mark.parametrize('name', ['nowhere/shapes', 'shapes.py', 'shapes.py:small'])
def test_what_looks_like_a_file_is_one(name):
    assert str(config_files.file_of(name)) == name


def test_a_name_that_is_none_lists_those_that_are():
    assert "name = 'shapes'" in config_files.file_of('shapes').read_text()
    names = r'ablation, .*pascal_voc, .*shapes, two_cores, or a file'
    with pytest.raises(UserError, match=rf'^--config=shaeps: .* {names}$'):
        config_files.file_of('shaeps')
