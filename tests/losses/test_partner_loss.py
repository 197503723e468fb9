"""The loss of the partner head."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from cosegnet_jax.losses import partner
from cosegnet_jax.losses.partner import Seen
from cosegnet_jax.networks.partner import PartnerHead


def seen(kinds) -> Seen:
    """Photos whose maps tell the kinds of things apart, and whose masks are sure of every object."""
    kinds = np.array(kinds)
    fine, coarse = 3 * np.eye(8)[kinds], np.eye(8)[kinds[:, :1, :1]]
    logits = np.full((len(kinds), 4, 4), 4.0)
    return Seen(*(jnp.asarray(x, jnp.float32) for x in (fine, coarse, logits)))


def test_the_head_learns_to_leave_what_the_partner_does_not_show():
    head = PartnerHead((8, 8), rngs=nnx.Rngs(0))
    graph, params = nnx.split(head)
    two, one, other = [[0, 1]] * 2, [[0, 0]] * 2, [[1, 1]] * 2
    first, second = seen([two, two, one, other]), seen([one, other, two, two])
    whole, left = np.ones((8, 8), bool), np.repeat([[True] * 4 + [False] * 4], 8, 0)
    truth = jnp.asarray(np.stack([left, ~left, whole, whole]))
    rule = optax.adam(1e-2)

    @jax.jit
    def step(params, opt):
        loss, gradient = jax.value_and_grad(
            lambda p: partner.batch_loss(nnx.merge(graph, p), first, second, truth)
        )(params)
        updates, opt = rule.update(gradient, opt)
        return optax.apply_updates(params, updates), opt, loss

    opt, losses = rule.init(params), []
    for _ in range(60):
        params, opt, loss = step(params, opt)
        losses.append(float(loss))
    assert losses[-1] < 0.3 * losses[0]
