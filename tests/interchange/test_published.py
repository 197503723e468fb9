"""The network that comes with the repository."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from cosegnet_jax import CoSegmenter

FOLDER = Path(__file__).parents[2] / 'trained' / 'pascal128'


@pytest.fixture(scope='module')
def segmenter():
    return CoSegmenter.from_pretrained(FOLDER)


def test_its_card_tells_its_config(segmenter):
    card = (FOLDER / 'README.md').read_text()
    (config,) = [part for part in card.split('```') if part.startswith('json\n')]
    known = dataclasses.asdict(segmenter.config)  # may have keys by now that the card has not
    for name, told in json.loads(config.removeprefix('json\n')).items():
        assert known[name] == (known[name] | told if isinstance(told, dict) else told)


def test_it_sees_a_figure_on_a_ground(segmenter):
    rows, columns = np.mgrid[:120, :160]
    inside = np.hypot(rows - 60, columns - 80) < 35
    photo = np.where(inside[..., None], (150, 75, 20), (110, 150, 210)).astype(np.uint8)
    (described,) = segmenter.describe([photo])
    soft = described.full_size()
    assert soft[inside].mean() > soft[~inside].mean() + 0.2
