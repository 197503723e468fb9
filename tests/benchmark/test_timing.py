import time

import jax.numpy as jnp
import pytest

from cosegnet_jax.benchmark import timing


def test_one_slow_block_does_not_count():
    naps = iter([0.01, 0.01, 0.5, 0.5, 0.01, 0.01])
    assert timing.median_seconds(lambda: time.sleep(next(naps)), 3, 2) == pytest.approx(0.01, abs=0.1)


def test_the_ceiling_is_that_of_a_computer():
    assert 1e8 < timing.matmul_flops_per_s(jnp.dtype('float32')) < 1e15
