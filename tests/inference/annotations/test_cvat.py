import dataclasses
from xml.etree import ElementTree

import found_masks
import numpy as np
import pytest

from cosegnet_jax.inference.annotations import cvat
from cosegnet_jax.runtime.errors import UserError


def decoded(element, height, width):
    """A mask by CVAT's rule: runs of ground and object in turn, row by row, inside a box."""
    left, top, across, down = (int(element.get(key)) for key in ('left', 'top', 'width', 'height'))
    runs = [int(run) for run in element.get('rle').split(',')]
    box = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(down, across)
    mask = np.zeros((height, width), bool)
    mask[top : top + down, left : left + across] = box
    return mask


def test_what_cvat_reads_is_what_was_found(tmp_path):
    cvat.write(tmp_path / 'cvat.xml', found_masks.found())
    root = ElementTree.parse(tmp_path / 'cvat.xml').getroot()
    assert root.findtext('version') == '1.1'
    images = root.findall('image')
    assert [image.get('name') for image in images] == list(found_masks.MASKS)
    assert [image.get('id') for image in images] == [str(number) for number in range(len(images))]
    masks, groups = {}, {}
    for image in images:
        height, width = int(image.get('height')), int(image.get('width'))
        assert (height, width) == found_masks.MASKS[image.get('name')].shape
        for element in image.findall('mask'):
            masks[image.get('name')] = decoded(element, height, width)
            groups[image.get('name')] = element.get('label')
    found_masks.check(masks, groups)
    assert [name.text for name in root.iterfind('meta/task/labels/label/name')] == ['group 1', 'group 2']


def test_a_name_that_xml_cannot_hold_leaves_the_old_file(tmp_path):
    path = tmp_path / 'cvat.xml'
    path.write_text('old')
    found = found_masks.found()
    bell = dataclasses.replace(found, names=('a\x07.jpg', *found.names[1:]))
    with pytest.raises(UserError, match=r"'a\\x07\.jpg': a name that XML cannot hold; rename"):
        cvat.write(path, bell)
    assert path.read_text() == 'old'
