import json

import exported_forms
import numpy as np
import programs
import pytest
from PIL import Image
from untrained_runs import SMALL, random_params, save_run

from cosegnet_jax.export import model_file, stablehlo
from cosegnet_jax.export.model_folder import export
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError

pytestmark = pytest.mark.slow


def test_differences_are_the_largest_and_pixels_those_that_change_sides():
    ours = exported_forms.Answers(np.full((2, 2, 2), 0.4), np.zeros((2, 64)), np.ones((2, 2)))
    masks = np.array([[[0.6, 0.4], [0.4, 0.5]], [[0.1, 0.4], [0.4, 0.4]]])
    theirs = exported_forms.Answers(masks, ours.embeddings - 2, ours.probabilities - [[0, 0], [0.25, 0]])
    assert exported_forms.differences(ours, theirs) == {
        'masks': pytest.approx(0.3),
        'embeddings': 2,
        'probabilities': 0.25,
        'changed_pixels': 2 / 8,
    }


def test_forms_are_timed_in_turn_beside_the_first():
    called = []

    def form(name):
        return exported_forms.Form(lambda images: called.append(name), None)

    rows = exported_forms.speeds([form('a'), form('b')], np.zeros((4, 2, 2, 3), np.uint8), 3)
    assert called == ['a', 'b'] * 3
    assert rows[0]['jax_ratio'] == 1
    assert all(row['images_per_s'] > 0 for row in rows)


def test_each_form_in_a_folder_has_a_line(tmp_path):
    run = save_run(tmp_path / 'run', SMALL, random_params(SMALL))
    rng = np.random.default_rng(0)
    (tmp_path / 'photos').mkdir()
    for number in range(25):
        Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8)).save(tmp_path / f'photos/{number}.png')
    for name, stored, writers in (('full', 'float32', [stablehlo.write]), ('half', 'float16', [])):
        (tmp_path / name).mkdir()
        export(str(run), tmp_path / name, None, stored, writers)

    done = programs.run(
        *('benchmarks/exported_forms.py', f'--workdir={run}'),
        *(f'--exported={tmp_path}/full,{tmp_path}/half', f'--images={tmp_path}/photos'),
    )
    assert done.returncode == 0, done.stderr
    full, hlo, half = map(json.loads, done.stdout.splitlines())
    assert [row['file'] for row in (full, hlo, half)] == [
        f'{tmp_path}/{file}'
        for file in ('full/model.safetensors', 'full/describe.stablehlo', 'half/model.safetensors')
    ]
    assert full['photos'] == 24  # of 25
    assert full['masks'] == full['embeddings'] == full['probabilities'] == full['changed_pixels'] == 0
    assert hlo['embeddings'] < 1e-4
    assert full['jax_ratio'] == 1
    assert hlo['images_per_s'] > 0
    assert 0 < half['embeddings'] < 0.5

    (tmp_path / 'full' / 'decide.stablehlo').unlink()
    network = model_file.read(tmp_path / 'full' / model_file.NAME, meshes.data_mesh())
    with pytest.raises(UserError, match=r'decide\.stablehlo: no such file'):
        list(exported_forms.forms(tmp_path / 'full', network))
