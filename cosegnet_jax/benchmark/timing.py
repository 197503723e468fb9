"""Seconds of asynchronous work, and the rate of matrix products to compare with."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def median_seconds(run: Callable[[], Any], blocks: int, repeats: int) -> float:
    """Measure the median over `blocks` of the mean time of `repeats` calls; a block ends with the device."""
    seconds = []
    for _ in range(blocks):
        start = time.perf_counter()
        for _ in range(repeats):
            result = run()
        jax.block_until_ready(result)
        seconds.append((time.perf_counter() - start) / repeats)
    return statistics.median(seconds)


def matmul_flops_per_s(dtype: jnp.dtype) -> float:
    """Measure the ceiling: floating-point operations per second of large matrix products on one device.

    It is the best of several sizes, each the median of five. No convolution is faster.
    """
    best = 0.0
    multiply = jax.jit(jnp.dot)
    for side in (1024, 2048) if jax.default_backend() == 'cpu' else (4096, 8192):
        a = jax.random.normal(jax.random.key(0), (side, side)).astype(dtype)
        jax.block_until_ready(multiply(a, a))
        best = max(best, 2 * side**3 / median_seconds(lambda a=a: multiply(a, a), 5, 3))
    return best


def peak_memory_gib() -> float:
    """Return the peak memory so far: of the accelerator, or of this process on the CPU."""
    stats = jax.local_devices()[0].memory_stats()
    if stats:
        return stats['peak_bytes_in_use'] / 2**30
    import resource  # not on every system, and only the CPU asks

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def cpu_cores() -> int:
    """Count the cores that this process may use."""
    # Not on every system; where it is, a container or taskset may allow fewer cores than there are.
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
