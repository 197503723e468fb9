"""What a result in Python can do besides being looked into."""

import pickle

import numpy as np
import pytest
from pictures_of_discs import disc, save
from PIL import Image

from cosegnet_jax.inference.saving import inner_names
from cosegnet_jax.runtime.errors import UserError


@pytest.fixture
def found(tmp_path, segmenter):
    photos = save(tmp_path / 'photos', 'a/one.png', 'b/one.png')
    return segmenter.cosegment([photos / 'a/one.png', photos / 'b/one.png', disc(5)], threshold=0.0)


def test_it_is_saved_as_predict_writes_it(tmp_path, found):
    report = found.save(tmp_path / 'out')
    assert report == tmp_path / 'out' / 'report.html'
    assert report.read_text().startswith('<!DOCTYPE html>')
    masks = sorted((tmp_path / 'out' / 'masks').rglob('*.png'))
    assert len(masks) == len(list((tmp_path / 'out' / 'cutouts').rglob('*.png'))) == 3
    assert len((tmp_path / 'out' / 'groups.csv').read_text().splitlines()) == 4
    with Image.open(masks[-1]) as image:
        assert image.mode == 'L'
    with pytest.raises(UserError, match='out: holds files; name a new folder'):
        found.save(tmp_path / 'out')


def test_it_is_short_in_words_and_has_thumbnails_in_notebooks(found):
    assert repr(found) == 'CoSegmentation(3 photos: 1 groups of 3, 0 outliers)'
    assert found._repr_html_().count('<img src="data:image/png;base64,') == 3


def test_it_is_pickled(found):
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.masks[0], found.masks[0])
    assert again.names == found.names


def test_a_segmenter_is_short_in_words(segmenter):
    assert repr(segmenter) == (
        'CoSegmenter(cosegnet, 32x32 pixels, trained on spots to step 0, mask_threshold=0.5)'
    )


def test_names_stay_inside_the_folder_and_are_all_different(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert inner_names(['../x/one.jpg', '../y/one.jpg']) == ['x/one.jpg', 'y/one.jpg']
    assert inner_names(['one.jpg', 'one.jpg', 'photo 2']) == ['one.jpg', 'one (2).jpg', 'photo 2']
