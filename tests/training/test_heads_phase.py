import dataclasses
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosegnet_jax import config as configs
from cosegnet_jax import data, networks
from cosegnet_jax.data.batches import gather
from cosegnet_jax.evaluation.scoring import validate
from cosegnet_jax.losses import cosegnet, mining
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import checkpoints, heads_phase, loop, run_files, state

pytestmark = pytest.mark.slow

SMALL = configs.Config(
    image_size=32,
    data=configs.Data(images_per_class=10),
    model=configs.Model(width=1 / 16, weights='none'),
    optimizer=configs.Optimizer(name='adam', learning_rate=1e-3, schedule='cosine', heads_rate=10.0),
    train=configs.Train(
        batch_triplets=8, steps=2, heads_steps=40, log_every_steps=10, eval_every_steps=1, save_every_steps=1
    ),
)


@pytest.fixture(scope='module')
def mesh():
    return meshes.data_mesh()


@pytest.fixture(scope='module')
def examples():
    return data.part(data.load(SMALL), SMALL, 'train')


@pytest.fixture(scope='module')
def params(mesh):
    return jax.device_put(state.random_params(SMALL.model, 0), meshes.replicated(mesh))


def test_only_metric_and_decision_network_learn(params, examples, mesh):
    trained, _ = heads_phase.train(SMALL, params, examples, mesh)
    for part, before in params.items():
        same = jax.tree.leaves(jax.tree.map(np.array_equal, before, trained[part]))
        assert all(same) if part in ('encoder', 'decoder') else not any(same), part


def test_both_losses_fall_where_the_averages_tell_the_classes(params, examples, mesh, monkeypatch):
    told = 0.3 * np.eye(16, dtype=np.float32)[examples.labels[:, 0]]
    monkeypatch.setattr(heads_phase, '_averages', lambda *_: told)
    _, terms = heads_phase.train(SMALL, params, examples, mesh)
    assert set(terms) == {'loss', 'loss_triplet', 'loss_decision', 'active_triplets'}
    for name in ('loss_triplet', 'loss_decision'):
        assert terms[name][-5:].mean() < 0.8 * terms[name][:5].mean(), name


def test_they_learn_from_what_a_step_with_images_has_without_its_masks(params, examples, mesh):
    config = dataclasses.replace(SMALL, data=configs.Data(images_per_class=10, sampler='balanced'))
    graph, key = networks.graph(config.model), jax.random.key(3)
    batch = jax.tree.map(jnp.asarray, gather(examples, np.arange(12)[:, None]))
    whole = cosegnet.batch_losses(graph, params, batch, key, config)
    averages = networks.trained(config, params, mesh).averages([examples.images[:12]], 12)
    share = mining.common_classes(batch.labels[:, 0]).any(2)
    numbers = batch.numbers[:, 0]
    alone = cosegnet.head_losses(graph, params, jnp.asarray(next(averages)), share, numbers, key, config)
    for name in ('loss_triplet', 'loss_decision', 'active_triplets'):
        np.testing.assert_allclose(alone[name], whole[name], rtol=1e-5)
    np.testing.assert_allclose(alone['loss'], whole['loss'] - 0.33 * whole['loss_mask'], rtol=1e-5)


def run_to_the_end(workdir, **train):
    config = dataclasses.replace(SMALL, train=dataclasses.replace(SMALL.train, **train))
    loop.train(config, workdir, validate)
    return config


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    workdir = tmp_path_factory.mktemp('finished')
    run_to_the_end(workdir)
    return workdir


def params_at(workdir, step):
    return jax.device_get(checkpoints.load_network(workdir, None, meshes.data_mesh(), step).params)


def test_a_run_ends_with_them_and_is_scored_there(finished):
    log = run_files.read(finished)
    assert [r['step'] for r in log if 'loss' in r and 'loss_mask' not in r] == [12, 22, 32, 42]
    assert [r['step'] for r in log if checkpoints.SCORE in r] == [1, 2, 42]
    before, after = params_at(finished, 2), params_at(finished, 42)
    jax.tree.map(np.testing.assert_array_equal, before['decoder'], after['decoder'])
    assert not np.array_equal(before['decision']['fc1']['kernel'], after['decision']['fc1']['kernel'])


def test_a_run_that_died_in_them_ends_the_same(finished, tmp_path):
    shutil.copytree(finished, tmp_path / 'cut')
    shutil.rmtree(checkpoints.folder(tmp_path / 'cut') / 'step_42')
    run_to_the_end(tmp_path / 'cut')
    jax.tree.map(np.testing.assert_array_equal, params_at(finished, 42), params_at(tmp_path / 'cut', 42))
    assert run_files.read(tmp_path / 'cut') == run_files.read(finished)


def test_they_can_be_asked_for_afterwards(finished, tmp_path):
    run_to_the_end(tmp_path, heads_steps=0)
    run_to_the_end(tmp_path)
    jax.tree.map(np.testing.assert_array_equal, params_at(finished, 42), params_at(tmp_path, 42))


def test_nothing_follows_them(finished, capsys):
    before = run_files.path(finished).read_text()
    run_to_the_end(finished)
    assert run_files.path(finished).read_text() == before
    with pytest.raises(UserError, match=r'ended with 40 steps .* give another --workdir'):
        run_to_the_end(finished, heads_steps=50)


def test_early_stopping_would_leave_them_out():
    train = dataclasses.asdict(SMALL.train) | {'stop_after_evals': 3}
    with pytest.raises(UserError, match='set either to 0'):
        configs.resolve({'train': train})
