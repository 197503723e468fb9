import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosegnet_jax.config import Config, Optimizer
from cosegnet_jax.training import optimizer


def run(config: Optimizer, params, gradients, steps: int = 10):
    update = optimizer.build(Config(optimizer=config), steps)
    state = update.init(params)
    for gradient in gradients:
        change, state = update.update(gradient, state, params)
        params = {key: params[key] + change[key] for key in params}
    return params


def test_sgd_decays_in_the_gradient_before_momentum():
    """By hand: v = 0.9 v + (g + wd w), w = w - lr v."""
    config = Optimizer(name='sgd', learning_rate=0.1, momentum=0.9, weight_decay=0.5)
    weight, velocity = 2.0, 0.0
    for gradient in (1.0, -3.0, 0.5):
        velocity = 0.9 * velocity + gradient + 0.5 * weight
        weight -= 0.1 * velocity
    params = run(
        config, {'kernel': jnp.full((1, 1), 2.0)}, [{'kernel': jnp.full((1, 1), g)} for g in (1.0, -3.0, 0.5)]
    )
    assert params['kernel'][0, 0] == pytest.approx(weight)


@pytest.mark.parametrize('name', ['sgd', 'adam', 'adamw'])
def test_decay_touches_kernels_only(name):
    params = {'kernel': jnp.ones((2, 2)), 'bias': jnp.ones(2)}
    nothing = {key: jnp.zeros_like(value) for key, value in params.items()}
    after = run(Optimizer(name=name, learning_rate=0.1, weight_decay=0.5), params, [nothing])
    assert np.all(np.asarray(after['kernel']) < 1)
    np.testing.assert_array_equal(after['bias'], params['bias'])


def test_the_gradient_is_clipped_to_the_global_norm():
    config = Optimizer(name='sgd', learning_rate=1.0, momentum=0.0, weight_decay=0.0, clip_norm=1.0)
    after = run(config, {'bias': jnp.zeros(2)}, [{'bias': jnp.array([30.0, 40.0])}])
    np.testing.assert_allclose(after['bias'], [-0.6, -0.8], rtol=1e-6)


def test_schedule_warms_up_and_ends_at_zero():
    rate = optimizer.schedule(Optimizer(learning_rate=0.4, schedule='cosine', warmup_steps=4), 20)
    assert [float(rate(s)) for s in (0, 2, 4)] == pytest.approx([0.0, 0.2, 0.4])
    assert float(rate(12)) == pytest.approx(0.2)
    assert float(rate(20)) == pytest.approx(0.0, abs=1e-7)


def test_schedule_of_a_rule_that_begins_later_warms_up_anew_and_goes_on():
    config = Optimizer(learning_rate=0.4, schedule='cosine', warmup_steps=4)
    whole, later = optimizer.schedule(config, 20), optimizer.schedule(config, 20, 10)
    assert [float(later(s)) for s in (0, 2)] == pytest.approx([0.0, float(whole(12)) / 2])
    assert [float(later(s)) for s in (4, 10)] == pytest.approx([float(whole(s)) for s in (14, 20)])


def test_the_constant_schedule_stays():
    rate = optimizer.schedule(Optimizer(learning_rate=0.4), 20)
    assert float(rate(0)) == float(rate(19)) == pytest.approx(0.4)


@pytest.mark.parametrize('name', ['sgd', 'adam', 'adamw'])
def test_rates_of_parts_do_not_change_what_a_checkpoint_holds(name):
    params = {'encoder': {'layers': {'conv1_1': {'kernel': jnp.ones((1, 1))}}}}
    plain, rated = (
        optimizer.build(Config(optimizer=Optimizer(name=name, encoder_rate=rate)), 10).init(params)
        for rate in (1.0, 0.5)
    )
    assert jax.tree.structure(plain) == jax.tree.structure(rated)
    assert len(plain) == {'sgd': 2, 'adam': 2, 'adamw': 1}[name]  # links of a chain, which Orbax counts
