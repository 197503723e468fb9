import base64
import io
import json

import found_masks
import numpy as np
import pytest
from PIL import Image, ImageDraw

from cosegnet_jax.inference.annotations import formats

pytest.importorskip('cv2', reason='needs OpenCV, of the extra annotations')

FILES = {
    'cow/portrait.jpg': 'cow/portrait.jpg.json',
    'cow/portrait.png': 'cow/portrait.png.json',
    'car/ring.jpg': 'car/ring.json',
}


def filled(shape, height, width):
    """A shape's mask by Labelme's rule: polygons with their outline, masks inside their corners."""
    mask = np.zeros((height, width), bool)
    if shape['shape_type'] == 'mask':
        (left, top), (right, bottom) = shape['points']
        with Image.open(io.BytesIO(base64.b64decode(shape['mask']))) as image:
            mask[top : bottom + 1, left : right + 1] = np.asarray(image).astype(bool)
        return mask
    assert shape['shape_type'] == 'polygon'
    assert len(shape['points']) > 2
    image = Image.fromarray(mask.astype(np.uint8))
    ImageDraw.Draw(image).polygon([tuple(point) for point in shape['points']], fill=1, outline=1)
    return np.asarray(image).astype(bool)


def photos(folder):
    return [folder / 'photos' / name for name in found_masks.MASKS]


def write(folder, photos):
    for file in formats.FORMATS['labelme'].files(found_masks.found(), folder, photos):
        (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
        file.write(folder / file.name)


def written(folder):
    """What each file of a folder holds, by the photo it leads to."""
    documents = {}
    for path in folder.rglob('*.json'):
        document = json.loads(path.read_text(encoding='utf-8'))
        documents[(path.parent / document['imagePath']).resolve()] = document
    return documents


def test_what_labelme_fills_in_is_what_was_found(tmp_path):
    write(tmp_path, photos(tmp_path))
    documents = written(tmp_path / 'labelme')
    assert documents.keys() == set(photos(tmp_path))
    masks, groups = {}, {}
    for name, photo in zip(found_masks.MASKS, photos(tmp_path), strict=True):
        document = documents[photo]
        height, width = document['imageHeight'], document['imageWidth']
        assert (height, width) == found_masks.MASKS[name].shape
        assert document['imageData'] is None
        if document['shapes']:
            parts = [filled(shape, height, width) for shape in document['shapes']]
            assert np.sum(parts, 0).max() == 1  # no pixel is in two
            masks[name] = np.any(parts, 0)
            [groups[name]] = {shape['label'] for shape in document['shapes']}
    found_masks.check(masks, groups)


def test_only_parts_with_holes_are_shapes_that_cannot_be_reshaped(tmp_path):
    write(tmp_path, photos(tmp_path))
    documents = written(tmp_path)
    kinds = {
        name: {shape['shape_type'] for shape in documents[photo]['shapes']}
        for name, photo in zip(found_masks.MASKS, photos(tmp_path), strict=True)
    }
    assert kinds['car/ring.jpg'] == {'mask'}
    assert kinds['car/whole.jpg'] == kinds['car/pixel.jpg'] == kinds['car/line.jpg'] == {'polygon'}
    assert kinds['cow/portrait.jpg'] == {'mask', 'polygon'}
    assert kinds['outlier.jpg'] == kinds['empty in a group.jpg'] == set()


def test_files_have_the_names_of_their_photos(tmp_path):
    write(tmp_path, photos(tmp_path))
    for name, file in FILES.items():
        document = json.loads((tmp_path / 'labelme' / file).read_text())
        assert document['imagePath'] == f'../../photos/{name}'
