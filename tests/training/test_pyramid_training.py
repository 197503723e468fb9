"""The small network through training: views, the two phases, the average, and an encoder from elsewhere."""

import dataclasses
import shutil

import jax
import numpy as np
import pytest
from flax import nnx

from cosegnet_jax import config as configs
from cosegnet_jax import data
from cosegnet_jax.evaluation.scoring import validate
from cosegnet_jax.export import model_folder, stablehlo
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.networks.encoders import ENCODERS
from cosegnet_jax.networks.encoders.interface import Chain, Encoder
from cosegnet_jax.networks.layers import Conv3x3, scaled
from cosegnet_jax.ops.pooling import max_pool
from cosegnet_jax.reports.run_evaluation import evaluate_run
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import calibration, checkpoints, loop, optimizer, run_files, state


class Toy(Chain):
    """Three blocks of one convolution, each halving the map; the last two maps are given."""

    block_count, map_count = 3, 2

    def __init__(self, *, width: float, rngs: nnx.Rngs):
        sizes = [3, *(scaled(8, width) for _ in range(3))]
        self.layers = nnx.Dict({f'conv{n}': Conv3x3(sizes[n], sizes[n + 1], rngs=rngs) for n in range(3)})

    def run_block(self, number, x):
        return max_pool(jax.nn.relu(self.layers[f'conv{number}'](x)))


TOY = Encoder(
    build=Toy,
    channels=(8, 8),
    strides=(4, 8),
    blocks=(('conv0',), ('conv1',), ('conv2',)),
    mean=(128.0, 128.0, 128.0),
    std=(64.0, 64.0, 64.0),
)

CONFIG = configs.Config(
    image_size=32,
    data=configs.Data(images_per_class=10, sampler='balanced', composite=0.5, scale_crop=0.2),
    model=configs.Model(name='pyramid', encoder='toy', width=1 / 8, weights='none'),
    loss=configs.Loss(soft_jaccard=1.0, contrast=0.2),
    optimizer=configs.Optimizer(
        name='adamw', learning_rate=1e-2, frozen_blocks=2, frozen_steps=1, average=0.5
    ),
    train=configs.Train(
        batch_classes=4, batch_images_per_class=2, steps=2, views=2, eval_every_steps=1, save_every_steps=1
    ),
)


@pytest.fixture(scope='module', autouse=True)
def _toy():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENCODERS, 'toy', TOY)
        yield


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    workdir = tmp_path_factory.mktemp('run')
    loop.train(CONFIG, workdir, validate)
    return workdir


def params_at(workdir, step):
    return jax.device_get(checkpoints.load_network(workdir, CONFIG, meshes.data_mesh(), step).params)


def test_an_encoder_from_elsewhere_learns_after_the_first_steps_and_past_its_frozen_blocks(finished):
    first, second = (params_at(finished, step)['encoder']['layers'] for step in (1, 2))
    moved = {name: not np.array_equal(first[name]['kernel'], second[name]['kernel']) for name in first}
    assert moved == {'conv0': False, 'conv1': False, 'conv2': True}


def test_a_run_goes_on_to_the_same_average_bit_for_bit(finished, tmp_path):
    shutil.copytree(finished, tmp_path / 'run')
    shutil.rmtree(tmp_path / 'run' / 'checkpoints' / 'step_2')
    loop.train(CONFIG, tmp_path / 'run', validate)
    jax.tree.map(np.testing.assert_array_equal, params_at(tmp_path / 'run', 2), params_at(finished, 2))


def test_the_optimizer_begins_anew_where_weights_are_no_longer_frozen(finished):
    mesh, update = meshes.data_mesh(), optimizer.build(CONFIG, CONFIG.train.steps)
    with checkpoints.manager(finished, read_only=True) as manager:
        restored = checkpoints.restore(manager, 2, state.abstract(CONFIG, update, mesh))
    counts = [int(leaf) for leaf in jax.tree.leaves(restored.optimizer) if leaf.dtype == np.int32]
    assert set(counts) == {1}


def test_what_is_kept_is_the_average(finished, tmp_path):
    mesh = meshes.data_mesh()
    plain = dataclasses.replace(CONFIG, optimizer=dataclasses.replace(CONFIG.optimizer, average=0.0))
    loop.train(plain, tmp_path, validate)
    one, two = (
        jax.device_get(checkpoints.load_network(tmp_path, plain, mesh, step).params) for step in (1, 2)
    )
    # Decays at first: 1 / 10 after the first update, 2 / 11 after the second.
    begun = params_at(finished, 1)
    want = jax.tree.map(lambda average, new: 2 / 11 * average + 9 / 11 * new, begun, two)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), params_at(finished, 2), want)
    assert any(not np.allclose(a, b) for a, b in zip(*map(jax.tree.leaves, (begun, one)), strict=True))


def test_what_is_loaded_is_calibrated_as_what_was_validated(tmp_path):
    config = dataclasses.replace(CONFIG, train=dataclasses.replace(CONFIG.train, calibrate=True))
    loop.train(config, tmp_path, validate)
    network = checkpoints.load_network(tmp_path, config, meshes.data_mesh(), 2)
    validation = data.part(data.load(config), config, 'validation')
    scores, _ = validate(config, network, validation)
    recorded = [record for record in run_files.read(tmp_path) if record['step'] == 2][-1]
    assert scores.items() <= recorded.items()
    # Fitting again finds nothing left to do.
    again = calibration.fit_calibration(config, network, validation)
    np.testing.assert_allclose(again, (1, 0, 0), atol=0.05)


def test_it_is_scored_given_away_and_used_as_cosegnet_is(finished, tmp_path):
    assert 'J' in evaluate_run(CONFIG, finished, None)
    model_folder.export(str(finished), tmp_path, None, 'float16', [stablehlo.write])
    segmenter = CoSegmenter.from_pretrained(tmp_path)
    photos = np.random.default_rng(0).integers(0, 256, (3, 48, 64, 3), np.uint8)
    found = list(segmenter.describe(photos))
    assert [one.soft_mask.shape for one in found] == [(32, 32)] * 3
    table = segmenter.decide(np.stack([one.embedding for one in found]))
    np.testing.assert_allclose(table, table.T, atol=1e-6)


def test_the_partner_head_learns_alone_at_the_end(finished, tmp_path):
    train = dataclasses.replace(CONFIG.train, partner_steps=2)
    config = dataclasses.replace(CONFIG, train=train)
    loop.train(config, tmp_path, validate)
    before, after = params_at(finished, 2), params_at(tmp_path, 2)
    changed = {
        part
        for part in before
        if not all(jax.tree.leaves(jax.tree.map(np.array_equal, before[part], after[part])))
    }
    assert changed == {'partner'}


def test_a_mask_depends_on_the_group_of_its_photo(finished):
    segmenter = CoSegmenter.from_pretrained(finished)
    photos = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    described = list(segmenter.describe(photos))
    grouped, alone = (
        segmenter.relate(('a', 'b', 'c'), list(photos), described, level) for level in (0.0, 1.0)
    )
    assert (len(grouped.groups), alone.groups) == (1, [])
    for index, one in enumerate(described):
        np.testing.assert_allclose(alone.soft_masks[index] * 255, one.soft_mask, atol=1e-3)
        beside = grouped.soft_masks[index]
        assert (beside < alone.soft_masks[index] + 0.01).all()  # a partner only takes away
        assert not np.allclose(beside, alone.soft_masks[index], atol=1e-4)
