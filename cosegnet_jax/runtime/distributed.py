"""Several processes that train or evaluate as one: the same command on every host."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec

import jax

from cosegnet_jax.runtime.errors import UserError, first_line

_ADDRESS, _COUNT, _NUMBER = 'JAX_COORDINATOR_ADDRESS', 'JAX_NUM_PROCESSES', 'JAX_PROCESS_ID'
_WAIT_S = 300  # for the slowest host


def start() -> None:
    """Joins the processes of one job; where the environment names no others, does nothing.

    To be called before anything asks JAX for its devices. A job is one of

    - a TPU slice of several hosts, on Cloud TPU or GKE;
    - several tasks of `srun`, which on GPUs get one GPU each;
    - JAX_COORDINATOR_ADDRESS=HOST:PORT, JAX_NUM_PROCESSES=N and JAX_PROCESS_ID=0 … N-1, where the port is
      free on the host of process 0. Processes that share a host divide its GPUs by JAX_LOCAL_DEVICE_IDS.

    Every process reads the data by itself, and all of them the same --workdir, which is to be on a file
    system that they share: each writes its part of a checkpoint. The first alone writes everything else and
    speaks; what the others print is dropped, except for errors.

    Raises:
        UserError: The variables do not fit together, or the other processes cannot be reached.
    """
    if given := _given(os.environ):
        address, count, number = given
        _wait_for(address, count, number)
        arguments = {'coordinator_address': address, 'num_processes': count, 'process_id': number}
        # Nothing is left to detect, and a Kubernetes pod would be asked all the same.
        arguments['cluster_detection_method'] = 'deactivate'
    elif _is_job(os.environ):
        arguments = {}
    else:
        return
    try:
        jax.distributed.initialize(**arguments, initialization_timeout=_WAIT_S)
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(
            f'cannot join the other processes: {first_line(error)}; start the same command on every host, '
            f'and give a port that is free on that of process 0'
        ) from error
    if jax.process_index():
        sys.stdout = open(os.devnull, 'w')  # noqa: SIM115 (until the process ends)


def _given(environ: Mapping[str, str]) -> tuple[str, int, int] | None:
    """Address of process 0, how many processes there are and the number of this one, or None."""
    names = (_ADDRESS, _COUNT, _NUMBER)
    missing = [name for name in names if name not in environ]
    if len(missing) == len(names):
        return None
    if missing:
        raise UserError(f'{missing[0]} is missing: {", ".join(names)} go together')
    address, *numbers = (environ[name] for name in names)
    if not address.rpartition(':')[0] or not address.rpartition(':')[2].isdecimal():
        raise UserError(f'{_ADDRESS}={address}: must be HOST:PORT of process 0')
    if not all(map(str.isdecimal, numbers)) or int(numbers[1]) >= int(numbers[0]):
        raise UserError(f'{_COUNT}={numbers[0]}, {_NUMBER}={numbers[1]}: must be N and one of 0 … N-1')
    return address, int(numbers[0]), int(numbers[1])


def _is_job(environ: Mapping[str, str]) -> bool:
    """Whether this is one of the jobs that JAX knows by itself.

    It also takes for one a single task with several GPUs, of which it would then see but the first, and asks
    the server of every Kubernetes pod; hence the look before.
    """
    tasks = int(environ.get('SLURM_NTASKS', 1)) if 'SLURM_STEP_NODELIST' in environ else 1
    hosts = environ.get('TPU_WORKER_HOSTNAMES', '').count(',') + 1
    slices = int(environ.get('MEGASCALE_NUM_SLICES', 1))
    # Hosts of a Cloud TPU learn of each other from its metadata server alone. JAX sets the variable itself
    # where there is no TPU, and GKE does where there is no such server.
    on_cloud_tpu = find_spec('libtpu') is not None and 'TPU_SKIP_MDS_QUERY' not in environ
    return max(tasks, hosts, slices) > 1 or on_cloud_tpu


def _wait_for(address: str, count: int, number: int) -> None:
    """Return once process 0 listens; where JAX cannot connect, it ends the program without an exception."""
    if number == 0:
        print(f'process 0 of {count}: waiting for the others at {address}', flush=True)
        return
    host, _, port = address.rpartition(':')
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            socket.create_connection((host.strip('[]'), int(port)), timeout=10).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise UserError(
                    f'{_ADDRESS}={address}: process 0 does not answer there ({error.strerror or error}); '
                    f'start it on that host, or correct the address'
                ) from error
            time.sleep(1)
        else:
            return
