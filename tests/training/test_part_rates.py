import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.config import Config, Optimizer
from cosegnet_jax.training import optimizer, part_rates, state

SMALL = configs.Model(width=1 / 64, weights='none')


@pytest.fixture(scope='module')
def params():
    return jax.jit(lambda: state.random_params(SMALL, 0))()


def moved(params, config: Optimizer):
    """By how much one step moves each parameter, all gradients being one."""
    update = optimizer.build(Config(optimizer=config), 10)
    ones = jax.tree.map(np.ones_like, params)
    return jax.tree.map(np.asarray, update.update(ones, update.init(params), params)[0])


@pytest.mark.parametrize('name', ['sgd', 'adam', 'adamw'])
def test_each_part_moves_at_its_own_rate_and_frozen_blocks_not_even_by_decay(params, name):
    plain = Optimizer(name=name, learning_rate=0.1, weight_decay=0.5)
    rated = dataclasses.replace(plain, encoder_rate=0.5, heads_rate=10.0, frozen_blocks=2)
    ours, theirs = moved(params, rated), moved(params, plain)
    ratio = jax.tree.map(lambda our, their: float(np.mean(our / their)), ours, theirs)
    encoder, decoder = ratio['encoder']['layers'], ratio['decoder']['layers']
    frozen = [name for name, share in encoder.items() if share == {'kernel': 0.0, 'bias': 0.0}]
    assert frozen == ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2']
    for name, share in (encoder | decoder).items():
        if name not in frozen:
            rate = 0.5 if name in encoder else 1.0
            assert share == pytest.approx({'kernel': rate, 'bias': rate})
    for part in ('metric', 'decision'):
        assert jax.tree.leaves(ratio[part]) == pytest.approx([10.0] * 4)


def test_no_way_back_leads_into_frozen_blocks(params):
    graph, images = networks.graph(SMALL), jnp.zeros((1, 64, 64, 3), jnp.uint8)

    def gradient(frozen: int):
        def loss(params):
            config = Config(optimizer=Optimizer(frozen_blocks=frozen))
            model = nnx.merge(graph, part_rates.freeze(params, config))
            return model.describe(images).embedding.sum()

        return jax.jit(jax.grad(loss)).lower(params)

    def operations(frozen: int) -> float:
        return gradient(frozen).cost_analysis()['flops']

    assert operations(5) < operations(3) < operations(0)
