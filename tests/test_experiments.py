import pytest

from cosegnet_jax import experiments
from cosegnet_jax.errors import UserError


@pytest.mark.parametrize('name', ['nowhere/shapes', 'shapes.py', 'shapes.py:small'])
def test_what_looks_like_a_file_is_one(name):
    assert str(experiments.file_of(name)) == name


def test_a_name_that_is_none_lists_those_that_are():
    assert "name = 'shapes'" in experiments.file_of('shapes').read_text()
    names = r'ablation, .*pascal_voc, .*shapes, two_cores, or a file'
    with pytest.raises(UserError, match=rf'^--config=shaeps: .* {names}$'):
        experiments.file_of('shaeps')
