"""Damaged model files and checkpoints: the same network, or one clear line and nothing else on stderr."""

from __future__ import annotations

import collections
import contextlib
import gc
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import inputs
import numpy as np

MODELS, CHECKPOINTS = 200, 100


def models(scale: float, folder: Path) -> dict:
    """Model files; one damage in three is to the header, which is a small part of the file."""
    rng = np.random.default_rng(21)
    sound = inputs.model_file(inputs.run_folder(folder / 'run'), folder / 'exported')
    data = sound.read_bytes()
    head = 8 + int.from_bytes(data[:8], 'little')

    def damage() -> tuple[Path, str]:
        path = folder / 'damaged.safetensors'
        if rng.integers(3) == 0:
            path.write_bytes(inputs.damaged(data[:head], rng) + data[head:])
        else:
            path.write_bytes(inputs.damaged(data, rng))
        return path, path.name

    return _outcomes(damage, max(20, round(MODELS * scale)), sound)


def checkpoints(scale: float, folder: Path) -> dict:
    """Checkpoints, one damaged file of theirs at a time; most often one of the parameters."""
    rng = np.random.default_rng(22)
    run = inputs.run_folder(folder / 'run')
    files = sorted(path.relative_to(run) for path in run.rglob('*') if path.is_file())
    files += [file for file in files if 'params' in file.parts] * 2

    def damage() -> tuple[Path, str]:
        damaged, file = folder / 'damaged', files[rng.integers(len(files))]
        shutil.rmtree(damaged, ignore_errors=True)
        shutil.copytree(run, damaged)
        content = (damaged / file).read_bytes()
        (damaged / file).write_bytes(inputs.damaged(content, rng) if content else b'x')
        return damaged, str(file)

    return _outcomes(damage, max(20, round(CHECKPOINTS * scale)), run)


def _outcomes(damage: Callable[[], tuple[Path, str]], count: int, sound: Path) -> dict:
    from cosegnet_jax import CoSegmenter
    from cosegnet_jax.runtime.errors import UserError

    expected = CoSegmenter.from_pretrained(sound).network
    found, examples = collections.Counter(), []
    for _ in range(count):
        path, what = damage()
        reason = ''
        with _stderr() as said:
            try:
                network = CoSegmenter.from_pretrained(path).network
            except UserError as error:
                reason = str(error)
                kind = 'refused_in_one_line'
            except Exception as error:
                reason = f'{type(error).__name__}: {error}'
                kind = 'tracebacks'
            else:
                same = (network.fingerprint(), network.config, network.step) == (
                    expected.fingerprint(), expected.config, expected.step,
                )  # fmt: skip
                kind = 'right_values' if same else 'wrong_values'
        if kind == 'refused_in_one_line' and (said or '\n' in reason):
            kind = 'not_in_one_line'
        found[kind] += 1
        if kind not in ('right_values', 'refused_in_one_line'):
            examples.append(f'{what}: {reason[:200]} {"".join(said)[:200]}')
    names = ('right_values', 'refused_in_one_line', 'wrong_values', 'tracebacks', 'not_in_one_line')
    return {
        'inputs': count,
        **{name: found[name] for name in names},
        **({'examples': examples[:5]} if examples else {}),
    }


@contextlib.contextmanager
def _stderr() -> Iterator[list[str]]:
    """What is written to stderr inside, also by threads that outlive a failure; in a list at the end."""
    said: list[str] = []
    with tempfile.TemporaryFile() as file:
        before = os.dup(2)
        sys.stderr.flush()
        os.dup2(file.fileno(), 2)
        own, sys.stderr = sys.stderr, os.fdopen(os.dup(2), 'w')
        try:
            yield said
            gc.collect()
            time.sleep(0.05)
        finally:
            sys.stderr.close()
            sys.stderr = own
            os.dup2(before, 2)
            os.close(before)
        file.seek(0)
        said += [text for text in [file.read().decode('utf-8', 'replace')] if text]
