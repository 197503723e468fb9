"""Prints what a campaign runs on, as a line of JSON."""

from __future__ import annotations

import importlib.metadata
import json
import platform

import jax

from cosegnet_jax.benchmark import timing

_PACKAGES = ('jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'numpy', 'pillow')


def main() -> None:
    """Versions, devices, memory, cores."""
    device = jax.local_devices()[0]
    row = {
        'python': platform.python_version(),
        'system': platform.platform(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
        'device': device.device_kind,
        'devices': jax.device_count(),
        'platform_version': device.client.platform_version,
        'memory_bytes': (device.memory_stats() or {}).get('bytes_limit'),
        'cpu_cores': timing.cpu_cores(),
    }
    print(json.dumps(row))


if __name__ == '__main__':
    main()
