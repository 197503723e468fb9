import programs
import pytest
from programs import ROOT

from cosegnet_jax.data import scenes


@pytest.fixture(scope='package')
def pictures(tmp_path_factory):
    """Drawn once: three boats, three cars and three planes."""
    return scenes.write(tmp_path_factory.mktemp('pictures'))


@pytest.fixture(scope='module')
def folder(tmp_path_factory, pictures):
    """Where a newcomer is, with the pictures in holiday/."""
    folder = tmp_path_factory.mktemp('newcomer')
    (folder / 'holiday').mkdir()
    for picture in pictures:
        (folder / 'holiday' / picture.name).write_bytes(picture.read_bytes())
    (folder / 'configs').symlink_to(ROOT / 'configs')  # README's commands are given in a checkout
    return folder


@pytest.fixture(scope='module')
def run(folder):
    """Runs `cosegnet WORDS`, or a script, in the newcomer's folder, and gives what it printed."""
    # Without what conftest.py sets for small networks: the network that ships is compiled as for a user.
    off = ('JAX_NUM_CPU_DEVICES', 'JAX_DISABLE_MOST_OPTIMIZATIONS')

    def run(*words, program=('-m', 'cosegnet_jax')):
        done = programs.run(*program, *words, cwd=folder, timeout=600, without=off, PYTHONPATH=str(ROOT))
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
