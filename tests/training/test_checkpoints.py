import dataclasses
import shutil

import jax
import numpy as np
import pytest
from programs import run

from cosegnet_jax import config as configs
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import checkpoints, optimizer, run_identity, state
from cosegnet_jax.training.training_images import TrainedOn

BASE = configs.Config(seed=2, model=configs.Model(name='base', width=1 / 64, weights='none'))


@pytest.fixture
def saved(tmp_path):
    """A run of no steps."""
    current = state.initial(BASE, {}, optimizer.build(BASE, 1), meshes.data_mesh())
    with checkpoints.manager(tmp_path / 'run') as manager:
        checkpoints.save(manager, current, BASE, TrainedOn('spots', ['a/1'], [], []), score=0.5)
    return tmp_path / 'run'


def named(name: str) -> configs.Config:
    return dataclasses.replace(BASE, model=dataclasses.replace(BASE.model, name=name))


def test_a_run_is_read_as_the_network_that_it_was_and_as_no_other(tmp_path):
    mesh, trained_on = meshes.data_mesh(), TrainedOn('spots', ['a/1'], [], [])
    current = state.initial(BASE, {}, optimizer.build(BASE, 1), mesh)
    with checkpoints.manager(tmp_path) as manager:
        checkpoints.save(manager, current, BASE, trained_on, score=0.5)
    for other in ('cosegnet', 'deep_object_coseg', 'attention'):
        with pytest.raises(UserError, match=rf'config\.model\.name=base, not {other}: set that key to base'):
            checkpoints.load_network(tmp_path, named(other), mesh, None)
    trained = checkpoints.load_network(tmp_path, BASE, mesh, None)
    assert (trained.step, trained.config, trained.dataset, trained.images) == (0, BASE, 'spots', 1)
    assert checkpoints.load_trained_on(tmp_path, 0) == trained_on
    jax.tree.map(np.testing.assert_array_equal, trained.params, current.params)


def test_a_letter_that_was_lost_in_a_description_is_noticed(tmp_path):
    mesh = meshes.data_mesh()
    current = state.initial(BASE, {}, optimizer.build(BASE, 1), mesh)
    with checkpoints.manager(tmp_path) as manager:
        checkpoints.save(manager, current, BASE, TrainedOn('spots', ['a/1'], [], []), score=0.5)
    for name, old, new in (('config', b'"seed": 2', b'"seed": 3'), ('trained_on', b'a/1', b'a/2')):
        changed = 0
        for file in (tmp_path / 'checkpoints' / 'step_0' / name).iterdir():
            before = file.read_bytes()
            file.write_bytes(before.replace(old, new).replace(old.replace(b' ', b''), new))
            changed += file.read_bytes() != before
        assert changed == 1
        with pytest.raises(UserError, match=rf'step_0: its {name} is damaged; delete that folder'):
            checkpoints.load_network(tmp_path, BASE, mesh, None)
        for file in (tmp_path / 'checkpoints' / 'step_0' / name).iterdir():
            file.write_bytes(file.read_bytes().replace(new, old))
    checkpoints.load_network(tmp_path, BASE, mesh, None)


def test_a_checkpoint_without_checksums_is_refused(saved):
    shutil.rmtree(saved / 'checkpoints/step_0/checksums')
    with pytest.raises(UserError, match=r'step_0: cannot be restored .*; delete that folder'):
        checkpoints.load_network(saved, BASE, meshes.data_mesh(), None)


def test_damaged_scores_name_their_checkpoint(saved):
    (saved / 'checkpoints/step_0/metrics/metrics').write_text('{"validation_score": 0.')
    with pytest.raises(UserError, match=r'step_0: cannot be used \(.*; delete that folder'):
        checkpoints.load_network(saved, BASE, meshes.data_mesh(), None)


def test_a_damaged_score_does_not_choose_the_checkpoint(saved):
    scores = saved / 'checkpoints/step_0/metrics/metrics'
    scores.write_text(scores.read_text().replace('0.5', '0.9'))
    with pytest.raises(UserError, match=r'step_0: its score is damaged; delete that folder'):
        checkpoints.load_network(saved, BASE, meshes.data_mesh(), None)


@pytest.mark.parametrize('name', ['params', 'optimizer'])
def test_numbers_that_storage_takes_for_sound_are_noticed_where_they_changed(tmp_path, name):
    """Bits that flip inside a compressed block can decompress to other numbers without an error."""
    mesh, update = meshes.data_mesh(), optimizer.build(BASE, 1)
    current = state.initial(BASE, {}, update, mesh)
    with checkpoints.manager(tmp_path / 'sound') as manager:
        checkpoints.save(manager, current, BASE, TrainedOn('spots', ['a/1'], [], []), score=0.5)
    changed = current._replace(**{name: jax.tree.map(lambda x: x + 1, getattr(current, name))})
    with checkpoints.manager(tmp_path / 'changed') as manager:
        checkpoints.save(manager, changed, BASE, TrainedOn('spots', ['a/1'], [], []), score=0.5)
    stored = tmp_path / 'changed/checkpoints/step_0' / name
    shutil.rmtree(tmp_path / 'sound/checkpoints/step_0' / name)
    shutil.copytree(stored, tmp_path / 'sound/checkpoints/step_0' / name)
    refused = pytest.raises(UserError, match=rf'step_0: its {name} is damaged; delete that folder')
    with checkpoints.manager(tmp_path / 'sound') as manager, refused:
        checkpoints.restore(manager, 0, state.abstract(BASE, update, mesh))
    with checkpoints.manager(tmp_path / 'changed') as manager:
        restored = checkpoints.restore(manager, 0, state.abstract(BASE, update, mesh))
    jax.tree.map(np.testing.assert_array_equal, restored, changed)


@pytest.mark.parametrize('damage', ['cut', 'hole'])
def test_damaged_arrays_are_one_line_and_nothing_else(saved, tmp_path, damage):
    """Threads that Orbax has left behind would print tracebacks beside it."""
    (file,) = (saved / 'checkpoints/step_0/params/d').iterdir()
    content = bytearray(file.read_bytes())
    content[3000:] = b'' if damage == 'cut' else bytes(8) + content[3008:]
    file.write_bytes(content)
    done = run('-m', 'cosegnet_jax', 'export', f'--model={saved}', f'--out={tmp_path / "model"}')
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert 'step_0: cannot be restored (' in line


def test_a_run_of_one_network_does_not_go_on_with_another(tmp_path):
    with pytest.raises(UserError, match=r'holds a run with config\.model\.name=base, not deep_object_coseg'):
        run_identity.check_same_run(BASE, named('deep_object_coseg'), tmp_path)
