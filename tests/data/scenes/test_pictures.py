import numpy as np
import pytest

from cosegnet_jax import CoSegmenter
from cosegnet_jax.data import scenes


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    return scenes.write(tmp_path_factory.mktemp('pictures'))


def test_the_same_pictures_are_drawn_at_every_call_and_no_two_are_alike(pictures):
    assert [file.name for file in pictures] == list(scenes.NAMES)
    first, second = (np.asarray(scenes.draw(name)) for name in scenes.NAMES[:2])
    np.testing.assert_array_equal(first, np.asarray(scenes.draw(scenes.NAMES[0])))
    assert first.shape == (480, 480, 3)
    assert np.abs(first.astype(int) - second).mean() > 5


@pytest.mark.slow
def test_the_network_that_comes_with_the_package_finds_boats_cars_and_planes(pictures):
    found = CoSegmenter.from_pretrained().cosegment(pictures)
    assert sorted(found.groups) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert all(0.05 < mask.mean() < 0.4 for mask in found.masks)
