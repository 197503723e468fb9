"""A researcher trains on a folder of photos and masks, scores it beside the shipped network, and uses it.

The commands are those of README.md, with fewer and smaller steps.
"""

import json
import re

import numpy as np
import pytest
from PIL import Image
from printed import README, command

from cosegnet_jax.data import shapes

pytestmark = pytest.mark.slow

SMALL = [
    '--config.image_size=64',
    '--config.evaluation.image_size=64',
    '--config.train.steps=2',
    '--config.train.eval_every_steps=2',
    '--config.train.views=1',
    '--config.optimizer.warmup_steps=0',
]


@pytest.fixture(scope='module')
def my_data(folder):
    """Photos of two classes, ten of each, with masks."""
    examples = shapes.make(64, 10, seed=0)
    for name, image, mask in list(zip(examples.filenames, examples.images, examples.masks, strict=True))[:20]:
        for kind, picture in (('images', image), ('masks', mask * 255)):
            path = folder / 'my_data' / kind / f'{name}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)
    return folder / 'my_data'


@pytest.fixture(scope='module')
def trained(run, my_data):
    words = command(README, 'train', '--config=configs/own_photos.py')
    assert f'--config.data.root={my_data.name}' in words
    return run(*words, *SMALL)


@pytest.fixture(scope='module')
def scored(run, trained):
    return run(*command(README, 'eval', '--workdir=runs/mine'))


def test_training_starts_from_the_shipped_network_and_says_what_to_do_next(trained):
    lines = trained.splitlines()
    assert lines[0] == 'mine: 12 images to train on, 4 to validate on'
    assert lines[1].startswith('objects cover, on average, this much of a photo: bar ')
    assert lines[2].startswith('Training to step 2 on 1 CPU device; photos take ')
    assert lines[-3:] == [
        'The run is in runs/mine: checkpoints/, metrics.jsonl, and events/ for TensorBoard.',
        'Score it:  cosegnet eval --workdir=runs/mine',
        'Use it:    cosegnet predict PHOTOS --model=runs/mine',
    ]


def test_the_scores_are_printed_and_kept(scored, folder):
    assert scored.startswith('mine: 4 images, 2 pairs inside 2 classes, protocol cosegnet\n')
    assert re.search(r'^  This model, gated +\d+\.\d +[01]\.\d{3}  measured$', scored, re.M)
    assert scored.splitlines()[-1] == 'Open runs/mine/report.html to see them.'
    results = json.loads((folder / 'runs/mine/eval/results.json').read_text())
    assert results['training']['config']['model']['weights'] == 'shipped'
    assert results['training']['scored_photos_seen'] == 0


def test_the_shipped_network_is_scored_on_the_same_photos_and_both_are_in_a_table(run, scored, folder):
    words = command(README, 'eval', '--model=shipped')
    before = run(*words, '--config.evaluation.image_size=64')
    assert before.startswith('mine: 4 images, 2 pairs inside 2 classes')
    made = run('eval', '--tables', '--runs=runs', '--out=tables')
    assert made.splitlines() == [
        '2 of 2 evaluations are in the tables.',
        'Open tables/tables.html to see them; tables.md and runs.jsonl are beside it.',
    ]
    text = (folder / 'tables' / 'tables.md').read_text(encoding='utf-8')
    (table,) = re.findall(r'^## mine\n\n(.*?)^## ', text, re.M | re.S)
    assert '| CoSegNet-pyramid trained on mine, gated |' in table
    assert '| CoSegNet-pyramid trained on pascal_coseg, gated |' in table
    assert 'Exported networks do not say which photos they were trained on' in table


def test_the_run_is_used_on_photos(run, trained, folder):
    printed = run(*command(README, 'predict', 'holiday', '--model=runs/mine'), '--out=found')
    assert printed.startswith('9 photos at threshold 0.5: ')
    masks = [np.asarray(Image.open(path)) for path in sorted((folder / 'found' / 'masks').iterdir())]
    assert [mask.shape for mask in masks] == [(480, 480)] * 9
