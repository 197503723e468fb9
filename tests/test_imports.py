import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / 'cosegnet_jax'
WITH_TENSORFLOW = (
    'cosegnet_jax/data/pipeline.py',
    'cosegnet_jax/data/builders',
    'cosegnet_jax/cli/prepare.py',
)


def test_only_the_pipeline_and_what_prepares_sets_import_tensorflow_or_tfds():
    """So that all else, prediction among it, starts quickly, and where neither is installed."""
    files = [str(path.relative_to(PACKAGE.parent)) for path in PACKAGE.rglob('*.py')]
    names = [
        file.removesuffix('.py').removesuffix('/__init__').replace('/', '.')
        for file in files
        if not file.startswith(WITH_TENSORFLOW)
    ]
    assert len(names) > 50
    code = f"""
import importlib, sys
from absl.flags import FLAGS
for name in {names}:
    importlib.import_module(name)
    if name != 'cosegnet_jax.cli.command_line':  # a program imports one other module that has flags
        for flag in FLAGS.get_flags_for_module(name):
            delattr(FLAGS, flag.name)
print(*sorted({{name.split('.')[0] for name in sys.modules}}))
"""
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert 'jax' in done.stdout.split()
    assert not {'tensorflow', 'tensorflow_datasets'} & set(done.stdout.split())
