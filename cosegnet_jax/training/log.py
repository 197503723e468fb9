"""The log of a run: a progress bar, WORKDIR/metrics.jsonl, and TensorBoard events."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np
from jaxtyping import UInt8
from tensorboardX import summary
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import (  # made when it is imported
    Event,  # pyright: ignore[reportAttributeAccessIssue]
    SessionLog,  # pyright: ignore[reportAttributeAccessIssue]
)
from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.progress import Progress
from cosegnet_jax.training import run_files

_FLUSH_S = 30  # between two looks of TensorBoard at what is new


class Log:
    """The open log of a run that starts or resumes at `start_step`.

    A run that was killed after its last checkpoint left lines and events of later steps. They are dropped,
    since those steps are repeated. Of several processes, only the first writes.

    Args:
        workdir: Folder of the run.
        start_step: Steps done so far.
        stop_step: Steps to do in all.
        batch_images: Images of a step.
    """

    def __init__(self, workdir: Path, start_step: int, stop_step: int, batch_images: int):
        writes = jax.process_index() == 0
        if writes:
            _drop_after(start_step, workdir)
        self._file = (run_files.path(workdir) if writes else Path(os.devnull)).open('a')
        self._events = _Events(workdir / 'events', start_step + 1) if writes else None
        self._bar = Progress('Training', stop_step, 'steps', start_step, silent=not writes)
        self._batch_images = batch_images
        self._sums: dict[str, float] = {}
        self._count, self._timed, self._since, self._compiled = 0, 0, time.monotonic(), False

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()
        self._file.close()
        if self._events:
            self._events.close()

    def step(self, step: int, metrics: Mapping[str, float], write: bool) -> None:
        """Count one step; with `write`, record the speed and the means since the last record."""
        self._bar.update()
        self._bar.restart_clock()  # the first step has compiled the program
        self._count, self._timed = self._count + 1, self._timed + 1
        if not self._compiled and not write:  # the same holds for the speed
            self._compiled, self._timed, self._since = True, 0, time.monotonic()
        for key, value in metrics.items():
            self._sums[key] = self._sums.get(key, 0.0) + value
        if write:
            means = {key: total / self._count for key, total in self._sums.items()}
            speed = self._timed * self._batch_images / (time.monotonic() - self._since)
            shown = {
                key.removeprefix('loss_'): f'{means[key]:.3g}' for key in means if key.startswith('loss')
            }
            self._bar.set_postfix({**shown, 'images/s': f'{speed:.1f}'})
            self.record(step, means | {'images_per_s': speed})
            self.restart_clock()

    def restart_clock(self) -> None:
        """Start new means; called after work that is no training, so that the speed is that of training."""
        self._sums, self._count, self._timed, self._since = {}, 0, 0, time.monotonic()

    def record(self, step: int, scalars: Mapping[str, float]) -> None:
        """Write one line of JSON, and the same numbers for TensorBoard."""
        defined = {key: value if math.isfinite(value) else None for key, value in scalars.items()}
        self._file.write(json.dumps({'step': step, **defined}) + '\n')
        self._file.flush()
        if self._events:
            self._events.write(step, *(summary.scalar(key, value) for key, value in scalars.items()))

    def validation(
        self, step: int, scalars: Mapping[str, float], picture: UInt8[np.ndarray, 'h w 3']
    ) -> None:
        """Record and print the scores of the validation part; the picture goes to TensorBoard."""
        self.record(step, scalars)
        if self._events:
            self._events.write(step, summary.image('validation', picture, dataformats='HWC'))
        self.say(f'step {step}: ' + ', '.join(f'{key} {value:.3f}' for key, value in scalars.items()))

    def done(self, step: int) -> None:
        """Complete the bar at `step`, also where steps were taken together or skipped."""
        self._bar.total = step
        self._bar.update(step - self._bar.n)

    def say(self, text: str) -> None:
        """Print a line without breaking the progress bar."""
        self._bar.write(text)


class _Events:
    """A file of events for TensorBoard, which hides earlier events of `first_step` and later ones.

    It is written at once, and not by the thread of tensorboardX: where the disk is full, that thread would
    end with a traceback, and the events after it would be lost in silence.
    """

    def __init__(self, folder: Path, first_step: int):
        folder.mkdir(parents=True, exist_ok=True)
        self._file = EventsWriter(str(folder / 'events'))
        self._file.write_event(Event(step=first_step, session_log=SessionLog(status=SessionLog.START)))
        self._flushed = -math.inf

    def write(self, step: int, *summaries: Summary) -> None:
        for one in summaries:
            self._file.write_event(Event(wall_time=time.time(), step=step, summary=one))
        if time.monotonic() - self._flushed > _FLUSH_S:  # it waits for the disk
            self._file.flush()
            self._flushed = time.monotonic()

    def close(self) -> None:
        self._file.close()


def _drop_after(step: int, workdir: Path) -> None:
    """Drop the records of later steps; a run that is killed meanwhile keeps its old log."""
    kept = [record for record in run_files.read(workdir) if record['step'] <= step]
    with files.write_atomically(run_files.path(workdir)) as unfinished:
        unfinished.write_text(''.join(json.dumps(record) + '\n' for record in kept))
