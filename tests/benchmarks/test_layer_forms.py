import dataclasses
import json
import math

import jax
import jax.numpy as jnp
import layer_forms
import numpy as np
import programs
import pytest

from cosegnet_jax import config as configs
from cosegnet_jax.runtime import mesh as meshes

pytestmark = pytest.mark.slow

SMALL = configs.Config(
    image_size=32,
    model=configs.Model(width=1 / 64, weights='none'),
    train=configs.Train(batch_triplets=8),
)


PYRAMID = dataclasses.replace(
    SMALL, model=configs.Model(name='pyramid', encoder='efficientnet_lite0', width=1 / 64, weights='none')
)
KINDS = {kind: one for kinds in layer_forms.KINDS.values() for kind, one in kinds.items()}


@pytest.fixture(scope='module')
def rows():
    return [json.loads(json.dumps(row)) for row in layer_forms.measure(SMALL, 1, 1)]


def test_every_form_of_a_kind_is_timed_on_the_images_of_one_device(rows):
    forms = {}
    for row in rows:
        forms.setdefault(row['kind'], []).append(row['form'])
    assert forms == {
        'convolution': ['used', 'plain'],
        'pooling': ['used', 'remembering', 'plain'],
        'enlarging': ['used', 'phases', 'transposed', 'enlarged'],
    }
    assert {(row['devices'], row['images']) for row in rows} == {(1, 3)}
    assert all(math.isfinite(row['s_per_step']) and row['s_per_step'] > 0 for row in rows)


@pytest.mark.parametrize('kind', KINDS)
def test_forms_of_a_kind_agree_forward_and_backward(kind):
    config = PYRAMID if kind == 'depthwise' else SMALL
    shapes, forms = KINDS[kind]
    rng = np.random.default_rng(0)
    last = list(shapes(config, 2))[-1]
    given = [[jnp.asarray(rng.normal(size=shape)) for shape in last]]
    used, *others = (layer_forms.differentiated(form)(given) for form in forms.values())
    for other in others:
        jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-4), other, used)


@pytest.mark.parametrize('kind', ['convolution', 'pooling', 'enlarging'])
def test_relu_follows_convolutions_and_no_pooling(kind):
    shapes, forms = KINDS[kind]
    _, x, *weights = next(iter(shapes(SMALL, 1)))
    for form in forms.values():
        y = form(-jnp.ones(x), *map(jnp.ones, weights))
        assert (y == -1).all() if kind == 'pooling' else (y == 0).all()


def test_shapes_are_those_of_the_network():
    """At full width: the maps of VGG16, and conv1_1 and cT12 as the paper has them."""
    full = dataclasses.replace(SMALL, image_size=224, model=configs.Model())
    of_cosegnet = layer_forms.KINDS['cosegnet'].values()
    convolutions, poolings, enlarging = (list(shapes(full, 1)) for shapes, _ in of_cosegnet)
    assert [len(convolutions), len(poolings), len(enlarging)] == [13, 5, 5]
    assert convolutions[0] == ((1, 224, 224, 64), (1, 224, 224, 3), (3, 3, 3, 64), (64,))
    assert poolings[-1] == ((1, 7, 7, 512), (1, 14, 14, 512))
    assert enlarging[-1] == ((1, 224, 224, 64), (1, 112, 112, 128), (3, 3, 128, 64), (64,))


def test_shapes_of_depthwise_layers_are_those_of_efficientnet():
    full = dataclasses.replace(PYRAMID, image_size=256, model=dataclasses.replace(PYRAMID.model, width=1.0))
    layers = list(layer_forms.depthwise_layers(full, 1))
    assert layers[0] == ((1, 128, 128, 32), (1, 128, 128, 32), (3, 3, 32))
    assert layers[-1] == ((1, 8, 8, 1152), (1, 8, 8, 1152), (3, 3, 1152))
    assert len(layers) == 12  # of 16, of which four halve the map


def test_other_networks_have_other_layers():
    done = programs.run('benchmarks/layer_forms.py', '--config=deep_object_coseg')
    assert done.returncode == 2
    assert 'config.model.name=deep_object_coseg: these are layers of cosegnet and pyramid' in done.stderr


def test_forms_are_compiled_on_the_layers_of_one_device():
    rows = list(layer_forms.compiled(SMALL, meshes.data_mesh()))
    assert [row['form'] for row in rows] == list(layer_forms.ENLARGING)
    assert {(row['devices'], row['images']) for row in rows} == {(1, 3)}
    flops = {row['form']: row['flops'] for row in rows}
    assert flops['enlarged'] > flops['phases']
