import json

import found_masks
import numpy as np
import pytest

from cosegnet_jax.inference.annotations import coco

pytest.importorskip('pycocotools', reason='needs pycocotools, of the extra annotations')


@pytest.mark.filterwarnings('ignore:__array__ implementation:DeprecationWarning')  # of pycocotools.decode
def test_what_pycocotools_reads_is_what_was_found(tmp_path):
    from pycocotools.coco import COCO

    coco.write(tmp_path / 'coco.json', found_masks.found())
    read = COCO(tmp_path / 'coco.json')
    images = read.loadImgs(read.getImgIds())
    assert [image['file_name'] for image in images] == list(found_masks.MASKS)
    sizes = [(image['height'], image['width']) for image in images]
    assert sizes == [mask.shape for mask in found_masks.MASKS.values()]
    masks, groups = {}, {}
    for one in read.loadAnns(read.getAnnIds()):
        [image] = read.loadImgs(one['image_id'])
        masks[image['file_name']] = read.annToMask(one).astype(bool)
        [category] = read.loadCats(one['category_id'])
        groups[image['file_name']] = category['name']
    found_masks.check(masks, groups)


def test_boxes_and_areas_are_those_of_the_masks(tmp_path):
    coco.write(tmp_path / 'coco.json', found_masks.found())
    document = json.loads((tmp_path / 'coco.json').read_text())
    names = {image['id']: image['file_name'] for image in document['images']}
    assert min(names) == 1
    for one in document['annotations']:
        rows, columns = np.nonzero(found_masks.MASKS[names[one['image_id']]])
        assert one['area'] == len(rows)
        assert one['bbox'] == [
            columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1
        ]  # fmt: skip
