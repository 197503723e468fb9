"""An engineer calls the library from a program, writes annotations, and hands a network on."""

import json
import re

import pytest
from printed import README, blocks, command
from programs import ROOT

pytestmark = pytest.mark.slow

PHOTOS = {'beach.jpg': 'boat 1.jpg', 'boat.png': 'boat 2.jpg', 'dinner.jpg': 'car 1.jpg'}  # by README's names
CHECKS = """
import pickle
print(found)
print(found.groups, found.outliers, found.probabilities.shape, found.probabilities.dtype)
print(found.masks[0].shape, found.masks[0].dtype, found.cutouts()[0].mode)
print(sorted(found.annotations()), found.annotations()['info']['description'])
print(pickle.loads(pickle.dumps(found)).groups == found.groups, '<img' in found._repr_html_())
"""


@pytest.fixture(scope='module')
def printed(run, folder, pictures):
    """What README's code gives, and the lines that save it from docs/photos.md."""
    by_name = {picture.name: picture for picture in pictures}
    for name, picture in PHOTOS.items():
        (folder / name).write_bytes(by_name[picture].read_bytes())
    (code,) = [block for block in blocks(README, 'python') if 'CoSegmenter' in block]
    (saving,) = [block for block in blocks(ROOT / 'docs' / 'photos.md', 'python') if '.save(' in block]
    (line,) = [line for line in saving.splitlines() if line.startswith('found.save(')]
    return run('-c', f'{code}{CHECKS}{line}', program=())


def test_the_code_of_the_readme_runs_and_gives_what_it_names(printed):
    assert printed.splitlines() == [
        'CoSegmentation(3 photos: 1 groups of 2, 1 outliers)',
        '[[0, 1]] [2] (3, 3) float32',
        '(480, 480) bool RGBA',
        "['annotations', 'categories', 'images', 'info'] Objects that photos share",
        'True True',
    ]


def test_a_result_is_saved_as_the_command_writes_it(printed, folder):
    out = folder / 'found'
    assert {path.name for path in out.iterdir()} == {
        'report.html', 'masks', 'cutouts', 'groups', 'groups.csv', 'pairs.json',
    }  # fmt: skip
    assert json.loads((out / 'pairs.json').read_text())['groups'] == [[0, 1]]


def test_annotations_are_written_for_the_three_tools(run, folder):
    printed = run('predict', 'holiday', '--annotations=coco,labelme,cvat')
    assert printed.splitlines()[-3:] == [
        f'Annotations: holiday-cosegnet/annotations/{name}' for name in ('coco.json', 'labelme', 'cvat.xml')
    ]
    coco = json.loads((folder / 'holiday-cosegnet' / 'annotations' / 'coco.json').read_text())
    assert coco['info']['version']
    assert len(coco['annotations']) == len(coco['images']) == 9


def test_a_network_is_exported_and_finds_the_same(run):
    files = run('export', '--model=shipped', '--out=handed_on', '--half')
    assert re.findall(r'handed_on/\S+', files) == ['handed_on/README.md', 'handed_on/model.safetensors']
    first = run(*command(README, 'predict', 'holiday'))
    assert run('predict', 'holiday', '--model=handed_on') == first


def test_a_network_is_measured(run):
    line = run('benchmark', '--model=shipped', '--mode=eval', '--blocks=1', '--config.image_size=64')
    line = json.loads(line)
    assert line['model'] == 'pyramid'
    assert line['pairs_per_s'] > 0
