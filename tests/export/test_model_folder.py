"""cosegnet export, as a user runs it, and what can be done with the folder."""

import dataclasses
import json

import jax
import numpy as np
import pytest
from PIL import Image
from programs import run
from untrained_runs import SMALL, random_params, save_run

from cosegnet_jax import CoSegmenter
from cosegnet_jax import config as configs
from cosegnet_jax.export.model_folder import export
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import checkpoints


def exported(run_folder, out, **choices):
    out.mkdir()
    choices = {'step': None, 'stored': 'float32', 'writers': []} | choices
    return export(str(run_folder), out, **choices)


def test_the_exported_folder_predicts_as_the_run_does(tmp_path, run_folder):
    out = tmp_path / 'exported'
    done = run('-m', 'cosegnet_jax', 'export', f'--model={run_folder}', f'--out={out}', '--stablehlo')
    assert done.returncode == 0, done.stderr
    names = ['README.md', 'decide.stablehlo', 'describe.stablehlo', 'model.safetensors']
    assert sorted(file.name for file in out.iterdir()) == names
    assert [line.split()[-1] for line in done.stdout.splitlines()] == [f'{out}/{name}' for name in names]
    (out.parent / 'plain').touch()
    assert {file.stat().st_mode for file in out.iterdir()} == {(out.parent / 'plain').stat().st_mode}

    rng = np.random.default_rng(0)
    for name in ('one.png', 'two.png', 'three.png'):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(tmp_path / name)
    photos = [str(tmp_path / name) for name in ('one.png', 'two.png', 'three.png')]
    found = {}
    for model in (run_folder, out):
        # The same network: what the first has found, the second need not look for.
        flags = [f'--model={model}', f'--out={tmp_path}/found', '--json']
        done = run('-m', 'cosegnet_jax', 'predict', *photos, *flags)
        assert done.returncode == 0, done.stderr
        found[model] = json.loads(done.stdout)
    first, second = found.values()
    assert first == second
    assert len(first['names']) == 3


def test_the_card_tells_of_the_checkpoint_and_of_no_other(tmp_path):
    folder = save_run(tmp_path / 'run', SMALL, random_params(SMALL))
    lines = [
        {'step': 9, checkpoints.SCORE: 0.9375, 'validation_jaccard': 0.9375},
        {'step': 0, 'loss': 1.0},
        {
            'step': 0,
            checkpoints.SCORE: 0.46875,
            'validation_jaccard': 0.4375,
            'validation_jaccard_ungated': 0.5,
        },
    ]
    (folder / 'metrics.jsonl').write_text(''.join(json.dumps(line) + '\n' for line in lines))
    for step, part, jaccard in ((0, 'test', 0.1875), (9, 'all', 0.6875)):
        document = {
            'dataset': 'spots',
            'split': part,
            'step': step,
            'images': 40,
            **dict.fromkeys(('precision', 'jaccard', 'precision_ungated', 'jaccard_ungated'), jaccard),
            'per_class': {},
            'decision': {'balanced_accuracy': 0.5, 'auc': 0.5, 'null_mask_rate': 0.5},
            'protocol': {'name': 'cosegnet', 'decided_by': 'the decision network'},
            'training': {
                'dataset': 'spots',
                'scored_photos_seen': 0,
                'config': dataclasses.asdict(SMALL),
            },
        }
        file = folder / 'eval' / f'spots-{part}-cosegnet.json'
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(document))
    exported(folder, tmp_path / 'out')
    card = (tmp_path / 'out' / 'README.md').read_text()
    assert '0.438, ungated 0.500' in card
    assert '0.188' in card
    assert '0.938' not in card
    assert '0.688' not in card


def test_nothing_is_overwritten_and_what_fails_leaves_nothing(tmp_path, run_folder):
    (tmp_path / 'used').mkdir()
    (tmp_path / 'used' / 'README.md').write_text('mine')
    with pytest.raises(UserError, match='used: is not empty; name a new folder'):
        export(str(run_folder), tmp_path / 'used', None, 'float32', [])
    assert (tmp_path / 'used' / 'README.md').read_text() == 'mine'

    broken = jax.tree.map(lambda leaf: leaf * np.float32(np.nan), random_params(SMALL))
    with pytest.raises(UserError, match='no finite float32 numbers'):
        exported(save_run(tmp_path / 'broken', SMALL, broken), tmp_path / 'out')
    assert not any((tmp_path / 'out').iterdir())


def test_networks_of_pairs_and_missing_steps_are_refused(tmp_path, run_folder):
    base = dataclasses.replace(SMALL, model=configs.Model(name='base', width=1 / 64, weights='none'))
    folder = save_run(tmp_path / 'base', base, random_params(base))
    with pytest.raises(UserError, match=r'config\.model\.name=base, whose masks depend on the pair'):
        exported(folder, tmp_path / 'out')
    with pytest.raises(UserError, match='no checkpoint of step 7; there are 0'):
        exported(run_folder, tmp_path / 'seventh', step=7)


def test_half_of_the_space_finds_nearly_the_same(tmp_path, run_folder):
    exported(run_folder, tmp_path / 'out', stored='float16')
    photos = list(np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8))
    exact = CoSegmenter.from_pretrained(run_folder).cosegment(photos)
    rounded = CoSegmenter.from_pretrained(tmp_path / 'out').cosegment(photos)
    np.testing.assert_allclose(
        np.stack(list(rounded.soft_masks)), np.stack(list(exact.soft_masks)), atol=0.02
    )
    np.testing.assert_allclose(rounded.embeddings, exact.embeddings, rtol=0.005, atol=0.01)
    assert np.any(rounded.embeddings != exact.embeddings)


@pytest.mark.parametrize(
    ('command', 'arguments', 'message'),
    [
        ('export', ['--model=run'], '--out=FOLDER is missing'),
        (
            'export',
            ['--workdir=run', '--out=out'],
            '--workdir: not read by cosegnet export; name the run by --model',
        ),
        ('predict', ['--images=photos', '--out=out', '--model=m'], 'm: no such file or folder'),
    ],
    ids=['no folder', 'no flag', 'no such model'],
)
def test_what_the_user_can_put_right_is_one_line_and_status_2(tmp_path, command, arguments, message):
    (tmp_path / 'photos').mkdir()
    for name in ('one.png', 'two.png'):
        Image.new('RGB', (8, 8)).save(tmp_path / 'photos' / name)
    arguments = [
        argument if '=m' in argument else argument.replace('=', f'={tmp_path}/') for argument in arguments
    ]
    done = run('-m', 'cosegnet_jax', command, *arguments)
    assert (done.returncode, done.stdout) == (2, '')
    (line,) = done.stderr.splitlines()
    assert line.startswith('error: ')
    assert message in line
