import json
import zipfile

import numpy as np
import pytest
from pictures_of_discs import save
from PIL import Image

from cosegnet_jax.inference import collection, prediction
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.inference.settings import Settings
from cosegnet_jax.serving import archive


@pytest.fixture
def packed(tmp_path, run_folder):
    def packed(threshold):
        """The opened zip of three photos, and what was found in them."""
        photos = collection.find(
            [str(save(tmp_path / 'photos', 'a/one.png', 'a/two 😀.jpg', 'b/one.png'))]
        ).photos
        out = tmp_path / 'out'
        out.mkdir()
        segmenter = CoSegmenter.from_pretrained(run_folder)
        found, document, _ = prediction.predict(photos, segmenter, out, Settings(threshold))
        archive.write(tmp_path / 'deep' / 'all.zip', found, document, out)
        return zipfile.ZipFile(tmp_path / 'deep' / 'all.zip'), found

    return packed


def test_masks_cutouts_pairs_and_report_are_in_it(packed):
    with packed(0.0)[0] as opened:
        names = ['a/one.png', 'a/two 😀.png', 'b/one.png']
        folders = [f'{folder}/{name}' for folder in ('masks', 'cutouts') for name in names]
        assert sorted(opened.namelist()) == sorted(['report.html', 'pairs.json', 'groups.csv', *folders])
        assert json.loads(opened.read('pairs.json'))['masks'] == [f'masks/{name}' for name in names]
        assert b'two \xf0\x9f\x98\x80.jpg' in opened.read('report.html')
        assert opened.testzip() is None


def test_cutouts_show_what_the_masks_cover_and_hide_nothing_below(packed):
    opened, found = packed(0.0)
    with opened:
        for mask, cutout, expected in zip(
            ['masks/a/one.png', 'masks/b/one.png'],
            ['cutouts/a/one.png', 'cutouts/b/one.png'],
            [found.photos[0], found.photos[2]],
            strict=True,
        ):
            with opened.open(mask) as file:
                inside = np.asarray(Image.open(file)) == 255
            with opened.open(cutout) as file:
                pixels = np.asarray(Image.open(file))
            assert 0 < inside.sum() < inside.size
            seen = pixels[..., 3] > 0
            np.testing.assert_array_equal(pixels[..., 3] >= 128, inside)
            np.testing.assert_array_equal(pixels[seen][:, :3], np.asarray(expected)[seen])
            assert not pixels[~seen].any()


def test_outliers_have_empty_masks_and_no_cutouts(packed):
    with packed(1.0)[0] as opened:
        masks = [name for name in opened.namelist() if name.startswith('masks/')]
        assert len(masks) == 3
        assert not any(name.startswith('cutouts/') for name in opened.namelist())
        for mask in masks:
            with opened.open(mask) as file:
                assert not np.asarray(Image.open(file)).any()
