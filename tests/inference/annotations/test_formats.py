import subprocess
import sys

import pytest

from cosegnet_jax.inference.annotations import formats
from cosegnet_jax.runtime.errors import UserError


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(UserError, match=r'--annotations=lableme: no such format; did you mean labelme\?'):
        formats.find_formats(['cvat', 'lableme'])
    assert formats.find_formats([]) == []


@pytest.mark.parametrize(('name', 'module'), [('coco', 'pycocotools'), ('labelme', 'cv2')])
def test_a_format_whose_package_is_missing_says_what_to_install(name, module):
    code = f"""
import sys
sys.modules[{module!r}] = None  # as if it were not installed
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.inference.annotations import formats
assert [one.name for one in formats.find_formats(['cvat'])] == ['cvat.xml']
try:
    formats.find_formats([{name!r}])
except UserError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == f"{module} is not installed; pip install 'cosegnet-jax[annotations]'\n", done.stderr
