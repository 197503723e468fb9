"""What needs which packages."""

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from programs import ROOT

import cosegnet_jax

PACKAGE = ROOT / 'cosegnet_jax'
WITH_TENSORFLOW = (
    'cosegnet_jax/data/pipeline.py',
    'cosegnet_jax/data/builders',
    'cosegnet_jax/cli/prepare.py',
)
SETUP = ConfigParser()
SETUP.read(ROOT / 'setup.cfg')
MODULE_OF = {'tensorflow-cpu': 'tensorflow', 'tensorflow-datasets': 'tensorflow_datasets'}
OF_TRAINING = [
    MODULE_OF.get(name, name)
    for name in (line.split('>')[0] for line in SETUP['options.extras_require']['train'].split())
]


def python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
def test_only_the_pipeline_and_what_prepares_sets_import_tensorflow_or_tfds():
    """So that everything else starts quickly, also where neither is installed."""
    files = [str(path.relative_to(PACKAGE.parent)) for path in PACKAGE.rglob('*.py')]
    names = [
        file.removesuffix('.py').removesuffix('/__init__').replace('/', '.')
        for file in files
        if not file.startswith(WITH_TENSORFLOW)
    ]
    assert len(names) > 50
    done = python(f"""
import importlib, sys
from absl.flags import FLAGS
for name in {names}:
    importlib.import_module(name)
    if name != 'cosegnet_jax.cli.command_line':  # a program imports one other module that has flags
        for flag in FLAGS.get_flags_for_module(name):
            delattr(FLAGS, flag.name)
print(*sorted({{name.split('.')[0] for name in sys.modules}}))
""")
    assert done.returncode == 0, done.stderr
    assert 'jax' in done.stdout.split()
    assert not {'tensorflow', 'tensorflow_datasets'} & set(done.stdout.split())


@pytest.mark.parametrize('command', ['predict', 'serve'])
def test_looking_at_photos_needs_no_package_of_the_extra_train(command):
    assert {'tensorflow', 'tensorboardX', 'matplotlib', 'h5py', 'pooch'} <= {*OF_TRAINING}
    done = python(f"""
import sys
sys.modules.update(dict.fromkeys({OF_TRAINING}))  # as if they were not installed
import cosegnet_jax.cli.{command}
print(cosegnet_jax.CoSegmenter.__name__)
""")
    assert (done.returncode, done.stdout) == (0, 'CoSegmenter\n'), done.stderr


@pytest.mark.parametrize(('program', 'missing'), [('train', 'tensorboardX'), ('eval', 'matplotlib')])
def test_a_missing_extra_is_one_line_that_says_what_to_install(program, missing):
    code = f"""
import runpy, sys
sys.modules[{missing!r}] = None
sys.argv = ['{program}.py']
runpy.run_path('{program}.py', run_name='__main__')
"""
    done = python(code)
    assert done.returncode == 2
    assert done.stderr == f"error: {missing} is not installed; pip install 'cosegnet-jax[train]'\n"


def test_the_package_shows_its_api_and_ships_its_types():
    assert dir(cosegnet_jax) == ['CoSegmentation', 'CoSegmenter', '__version__']
    for name in cosegnet_jax.__all__:
        assert getattr(cosegnet_jax, name)
    assert Path(cosegnet_jax.__file__).with_name('py.typed').exists()
    with pytest.raises(AttributeError, match='has no attribute'):
        cosegnet_jax.CoSegmentor  # noqa: B018
