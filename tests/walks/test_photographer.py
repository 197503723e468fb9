"""A photographer installs the package, looks at a folder of photos, and takes the objects away.

README.md is her only help: its commands are run as printed, and each thing that it promises is looked for.
"""

import csv
import json
import re

import numpy as np
import pytest
from PIL import Image
from printed import README, command

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def printed(run):
    return run(*command(README, 'predict', 'holiday'))


def test_the_first_command_says_what_it_found_and_what_to_open(printed):
    assert printed.splitlines() == [
        '9 photos at threshold 0.5: 3 group(s)',
        'group 1: 3 photos (boat 1.jpg, boat 2.jpg, boat 3.jpg)',
        'group 2: 3 photos (car 1.jpg, car 2.jpg, car 3.jpg)',
        'group 3: 3 photos (plane 1.jpg, plane 2.jpg, plane 3.jpg)',
        'outliers: 0 photos',
        'Open holiday-cosegnet/report.html to see them.',
        'Masks, cut-outs and a folder for each group are in holiday-cosegnet.',
    ]


def test_the_folder_holds_what_the_readme_lists(printed, folder):
    text = README.read_text(encoding='utf-8')
    (listed,) = re.findall(r'^The folder `holiday-cosegnet` then holds\n\n((?:- .*\n|  .*\n)+)', text, re.M)
    names = re.findall(r'`([\w.]+/?)`', ' '.join(line.split(':')[0] for line in listed.splitlines()))
    assert names == ['report.html', 'masks/', 'cutouts/', 'groups/', 'groups.csv', 'pairs.json']
    assert sorted(path.name for path in (folder / 'holiday-cosegnet').iterdir() if path.name[0] != '.') == (
        sorted(name.strip('/') for name in names)
    )


def test_a_cut_out_is_the_object_alone_and_groups_are_folders_of_the_photos(printed, folder):
    out = folder / 'holiday-cosegnet'
    for photo in sorted((folder / 'holiday').iterdir()):
        mask = np.asarray(Image.open(out / 'masks' / f'{photo.stem}.png'))
        cutout = np.asarray(Image.open(out / 'cutouts' / f'{photo.stem}.png'))
        assert set(np.unique(mask)) == {0, 255}
        assert mask.shape == cutout.shape[:2] == np.asarray(Image.open(photo)).shape[:2]
        np.testing.assert_array_equal(cutout[..., 3] >= 128, mask == 255)
    boats = out / 'groups' / 'group 1'
    assert sorted(path.name for path in boats.iterdir()) == ['boat 1.jpg', 'boat 2.jpg', 'boat 3.jpg']
    assert (boats / 'boat 1.jpg').samefile(folder / 'holiday' / 'boat 1.jpg')
    with (out / 'groups.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [row['group'] for row in rows] == ['1', '1', '1', '2', '2', '2', '3', '3', '3']
    assert json.loads((out / 'pairs.json').read_text())['groups'] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_the_same_command_again_finds_the_same(printed, run):
    assert run(*command(README, 'predict', 'holiday')) == printed
