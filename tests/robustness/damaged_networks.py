"""Damaged model files and checkpoints: the same network, or one clear line."""

from __future__ import annotations

import collections
import shutil
import warnings
from pathlib import Path

import inputs
import numpy as np

MODELS, CHECKPOINTS = 200, 100


def models(scale: float, folder: Path) -> dict:
    """Model files."""
    from cosegnet_jax import CoSegmenter

    rng = np.random.default_rng(21)
    sound = inputs.model_file(inputs.run_folder(folder / 'run'), folder / 'exported')
    expected, data = CoSegmenter.from_pretrained(sound), sound.read_bytes()
    path = folder / 'damaged.safetensors'

    def attempt() -> object:
        # One damage in three is to the header, which is a small part of the file.
        head = 8 + int.from_bytes(data[:8], 'little')
        content = (
            inputs.damaged(data[:head], rng) + data[head:]
            if rng.integers(3) == 0
            else inputs.damaged(data, rng)
        )
        path.write_bytes(content)
        return CoSegmenter.from_pretrained(path)

    return _outcomes(attempt, max(20, round(MODELS * scale)), expected)


def checkpoints(scale: float, folder: Path) -> dict:
    """Checkpoints, one damaged file of theirs at a time."""
    from cosegnet_jax import CoSegmenter

    rng = np.random.default_rng(22)
    run = inputs.run_folder(folder / 'run')
    expected = CoSegmenter.from_pretrained(run)
    files = sorted(path.relative_to(run) for path in run.rglob('*') if path.is_file())

    def attempt() -> object:
        damaged = folder / 'damaged'
        shutil.rmtree(damaged, ignore_errors=True)
        shutil.copytree(run, damaged)
        file = damaged / files[rng.integers(len(files))]
        content = file.read_bytes()
        attempt.file = str(file.relative_to(damaged))
        file.write_bytes(inputs.damaged(content, rng) if content else b'x')
        return CoSegmenter.from_pretrained(damaged)

    return _outcomes(attempt, max(20, round(CHECKPOINTS * scale)), expected)


def _outcomes(attempt, count: int, expected: object) -> dict:
    from cosegnet_jax.runtime.errors import UserError

    found = collections.Counter()
    examples = []
    for _ in range(count):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                network = attempt()
            ours, theirs = network.network, expected.network
            same = (ours.fingerprint(), ours.config, ours.step) == (
                theirs.fingerprint(), theirs.config, theirs.step,
            )  # fmt: skip
            found['right' if same else 'wrong'] += 1
            if not same:
                examples.append(getattr(attempt, 'file', 'another network'))
        except UserError as error:
            found['more than a line' if '\n' in str(error) else 'refused'] += 1
        except Exception as error:
            found['tracebacks'] += 1
            examples.append(f'{type(error).__name__}: {str(error)[:200]}')
    return {
        'inputs': count,
        'right_values': found['right'],
        'refused_in_one_line': found['refused'],
        'wrong_values': found['wrong'],
        'tracebacks': found['tracebacks'],
        'reasons_of_more_than_a_line': found['more than a line'],
        **({'examples': sorted(set(examples))[:5]} if examples else {}),
    }
