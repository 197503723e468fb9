"""What a run says of itself: a progress bar, WORKDIR/metrics.jsonl, and TensorBoard events."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np
import tensorboardX
from jaxtyping import UInt8

from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.progress import Progress
from cosegnet_jax.training import run_files


class Log:
    """Open log of a run that begins, or goes on, at `start_step`.

    Lines and events of later steps are left from a run that was killed after its last checkpoint; they
    are dropped, since those steps are about to be done again. Of several processes, the first alone writes.

    Args:
        workdir: Folder of the run.
        start_step: Steps done so far.
        stop_step: Steps to do in all.
        batch_images: Images that a step looks at.
    """

    def __init__(self, workdir: Path, start_step: int, stop_step: int, batch_images: int):
        writes = jax.process_index() == 0
        if writes:
            _drop_after(start_step, workdir)
        self._file = (run_files.path(workdir) if writes else Path(os.devnull)).open('a')
        self._events = tensorboardX.SummaryWriter(
            str(workdir / 'events'), purge_step=start_step + 1, write_to_disk=writes
        )
        self._bar = Progress('Training', stop_step, 'steps', start_step, silent=not writes)
        self._batch_images = batch_images
        self._sums: dict[str, float] = {}
        self._count, self._since = 0, time.monotonic()

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()
        self._file.close()
        self._events.close()

    def step(self, step: int, metrics: Mapping[str, float], write: bool) -> None:
        """Counts one step; with `write`, records the means since the last record and the speed."""
        self._bar.update()
        self._bar.restart_clock()  # the first step has compiled the program
        self._count += 1
        for key, value in metrics.items():
            self._sums[key] = self._sums.get(key, 0.0) + value
        if write:
            means = {key: total / self._count for key, total in self._sums.items()}
            speed = self._count * self._batch_images / (time.monotonic() - self._since)
            shown = {
                key.removeprefix('loss_'): f'{means[key]:.3g}' for key in means if key.startswith('loss')
            }
            self._bar.set_postfix({**shown, 'images/s': f'{speed:.1f}'})
            self.record(step, means | {'images_per_s': speed})
            self.restart_clock()

    def restart_clock(self) -> None:
        """Begins a new mean; called after work that is no training, so that the speed is that of training."""
        self._sums, self._count, self._since = {}, 0, time.monotonic()

    def record(self, step: int, scalars: Mapping[str, float]) -> None:
        """One line of JSON, and the same numbers to TensorBoard."""
        defined = {key: value if math.isfinite(value) else None for key, value in scalars.items()}
        self._file.write(json.dumps({'step': step, **defined}) + '\n')
        self._file.flush()
        for key, value in scalars.items():
            self._events.add_scalar(key, value, step)

    def validation(
        self, step: int, scalars: Mapping[str, float], picture: UInt8[np.ndarray, 'h w 3']
    ) -> None:
        """What the validation part shows at `step`; the picture goes to TensorBoard."""
        self.record(step, scalars)
        self._events.add_image('validation', picture, step, dataformats='HWC')
        self.say(f'step {step}: ' + ', '.join(f'{key} {value:.3f}' for key, value in scalars.items()))

    def done(self, step: int) -> None:
        """Ends the bar at `step`, also where steps were taken together or left out."""
        self._bar.total = step
        self._bar.update(step - self._bar.n)

    def say(self, text: str) -> None:
        """A line for the terminal that leaves the progress bar whole."""
        self._bar.write(text)


def _drop_after(step: int, workdir: Path) -> None:
    """Drops the records of later steps."""
    kept = [record for record in run_files.read(workdir) if record['step'] <= step]
    with files.write_atomically(
        run_files.path(workdir)
    ) as unfinished:  # a run that dies here has its old log
        unfinished.write_text(''.join(json.dumps(record) + '\n' for record in kept))
