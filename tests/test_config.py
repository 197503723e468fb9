import dataclasses
import importlib.util
import operator
import re
from pathlib import Path

import jax
import numpy as np
import pytest

from cosegnet_jax import config as configs
from cosegnet_jax import data
from cosegnet_jax.data.batches import Batch
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import optimizer, state, step

ROOT = Path(__file__).parents[1]


def tree(key, value):
    """The defaults with one key changed, as plain dictionaries: a `ConfigDict` already refuses some types."""
    raw = dataclasses.asdict(configs.Config())
    section = raw
    *path, last = key.split('.')[1:]
    for word in path:
        section = section[word]
    section[last] = value
    return raw


def test_defaults_are_the_papers_setting():
    config = configs.resolve(configs.default())
    assert config == configs.Config()
    assert (config.image_size, config.train.batch_triplets, config.loss.margin) == (224, 3, 1.0)
    optimizer = config.optimizer
    assert (optimizer.name, optimizer.learning_rate, optimizer.momentum, optimizer.weight_decay) == (
        'sgd',
        1e-5,
        0.9,
        4e-4,
    )


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('config.train.stpes', 3, 'config.train.stpes: no such key; did you mean config.train.steps'),
        ('config.modle', {'tap': 'f'}, 'config.modle.tap: no such key; did you mean config.model.tap'),
        ('config.seeds', 1, 'did you mean config.seed'),
        ('config.model.tap', 'cT5', 'config.model.tap=cT5: must be one of f, cT3, cT6, cT9, cT11'),
        (
            'config.model.name',
            'cosegnet-base',
            'config.model.name=cosegnet-base: must be one of cosegnet, pyramid, base, deep_object_coseg',
        ),
        ('config.train.steps', 'many', 'must be of type int, not str'),
        ('config.data.flip', 1, 'must be of type bool, not int'),
        ('config.train.batch_triplets', 0, 'must be at least 1'),
        ('config.optimizer.momentum', 1.0, 'must be less than 1'),
        ('config.image_size', 100, 'must be a multiple of 32, for example 96 or 128'),
    ],
)
def test_a_wrong_key_or_value_is_one_clear_line(key, value, message):
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        configs.resolve(tree(key, value))
    assert '\n' not in str(caught.value)


PAIRS = {'model.name': 'base'}  # a network of pairs has neither metric nor decision network
UNREAD = [
    ('model.tap', 'cT6', PAIRS),
    ('loss.negatives', 'semi_hard', PAIRS),
    ('loss.margin', 2.0, PAIRS),
    ('loss.w2_positive', 1.0, PAIRS),
    ('loss.w3_positive', 1.0, PAIRS),
    ('loss.w2_negative', 1.0, PAIRS),
    ('loss.w3_negative', 1.0, PAIRS),
    ('loss.triplet_features', 'fu', PAIRS),
    ('loss.triplet_distance', 'squared', PAIRS),
    ('loss.normalize_embeddings', True, PAIRS),
    ('evaluation.symmetric', False, PAIRS),
    ('optimizer.heads_rate', 10.0, PAIRS),
    ('train.heads_steps', 9, PAIRS),
    ('train.heads_steps', 9, {'optimizer.heads_rate': 0.0}),
    ('train.batch_triplets', 5, {'data.sampler': 'balanced'}),
    ('train.batch_classes', 5, {'data.sampler': 'triplets'}),
    ('train.batch_images_per_class', 5, {'data.sampler': 'triplets'}),
    ('optimizer.momentum', 0.5, {'optimizer.name': 'adam'}),
    ('optimizer.momentum', 0.5, {'optimizer.name': 'adamw'}),
    ('evaluation.mask_threshold', 0.3, {'evaluation.protocol': 'ssnm'}),
    ('evaluation.empty_truth', 'zero', {'evaluation.protocol': 'docs'}),
    ('optimizer.frozen_blocks', 2, {'model.weights': 'none'}),
    ('model.feature_scale', 0.1, {'model.weights': 'none'}),
    ('model.decoder_start', 'identity', {'model.name': 'deep_object_coseg'}),
]


@pytest.mark.parametrize(('key', 'value', 'others'), UNREAD)
def test_a_key_that_nothing_would_read_is_refused(key, value, others):
    raw = configs.default()
    raw.update_from_flattened_dict(others)
    assert configs.resolve(raw)  # the default of the key is no matter
    default = operator.attrgetter(key)(configs.Config())
    raw.update_from_flattened_dict({key: value})
    [(other, why)] = others.items()
    line = f'config.{key}={value}: nothing reads it with config.{other}={why}; leave it at {default}'
    with pytest.raises(UserError, match=f'^{re.escape(line)}$'):
        configs.resolve(raw)


@pytest.mark.parametrize('name', ['base', 'deep_object_coseg', 'attention'])
def test_a_network_of_pairs_trains_on_triplets(name):
    raw = configs.default()
    raw.update_from_flattened_dict({'model.name': name, 'data.sampler': 'balanced'})
    line = f'config.data.sampler=balanced: {name} looks at every pair anew'
    with pytest.raises(UserError, match=line):
        configs.resolve(raw)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'optimizer.warmup_steps': 9, 'train.steps': 8}, 'config.optimizer.warmup_steps=9: the run has'),
        ({'optimizer.learning_rate': float('inf')}, 'config.optimizer.learning_rate=inf: must be a finite'),
        ({'optimizer.learning_rate': float('nan')}, 'config.optimizer.learning_rate=nan: must be a finite'),
        ({'optimizer.encoder_rate': float('inf')}, 'config.optimizer.encoder_rate=inf: must be a finite'),
        ({'model.width': 0.5}, 'published weights fit config.model.width=1, not 0.5'),
    ],
)
def test_values_that_contradict_each_other_are_refused_before_training(changes, message):
    raw = configs.default()
    raw.update_from_flattened_dict(changes)
    with pytest.raises(UserError, match=re.escape(message)):
        configs.resolve(raw)


def test_an_integer_serves_where_a_float_is_asked_for():
    assert configs.resolve(tree('config.model.width', 1)).model.width == 1.0


def test_a_key_on_the_command_line_is_matched_by_its_last_word_too():
    with pytest.raises(UserError, match=r'did you mean config\.optimizer\.learning_rate'):
        configs.check_key('config.learning_rate')


def config_of(path: Path) -> configs.Config:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return configs.resolve(module.get_config())


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
@pytest.mark.parametrize('path', sorted((ROOT / 'configs').glob('*.py')), ids=lambda path: path.stem)
def test_the_train_step_of_every_config_keeps_the_shapes_and_types_of_the_state(path, dtype):
    """At no compute; under bfloat16 the parameters stay float32."""
    config = config_of(path)
    config = dataclasses.replace(config, model=dataclasses.replace(config.model, dtype=dtype))
    mesh = meshes.data_mesh(jax.devices()[:1])
    update = optimizer.build(config, config.train.steps)
    before = state.abstract(config, update, mesh)
    groups, side = data.check_batch(config, mesh), config.image_size
    batch = Batch(
        images=jax.ShapeDtypeStruct((*groups, side, side, 3), np.uint8),
        masks=jax.ShapeDtypeStruct((*groups, side, side), np.uint8),
        labels=jax.ShapeDtypeStruct((*groups, 1), np.int32),
        numbers=jax.ShapeDtypeStruct(groups, np.int32),
    )
    make = step.make_step(config, update, mesh, lambda on_device, per_step: per_step)
    after, metrics = jax.eval_shape(make, before, (), batch)
    for old, new in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        assert (old.shape, old.dtype) == (new.shape, new.dtype)
    assert all(p.dtype == np.float32 for p in jax.tree.leaves(after.params))
    assert all(m.shape == () and m.dtype == np.float32 for m in metrics.values())


def test_every_key_is_read_somewhere():
    sources = ''.join(
        path.read_text() for path in [*(ROOT / 'cosegnet_jax').rglob('*.py')] if path.name != 'config.py'
    )
    unread = [
        key
        for key in configs.all_keys()
        if not re.search(rf'\b(config|settings)(\.\w+)?\.{key.split(".")[-1]}\b', sources)
    ]
    assert not unread


def test_a_resolved_config_survives_json_like_trees():
    config = configs.resolve(tree('config.train.steps', 7))
    assert configs.resolve(dataclasses.asdict(config)) == config
