import numpy as np
import pytest

from cosegnet_jax.inference.groups import neighbors


@pytest.fixture(autouse=True, params=['faiss', 'none'])
def index(request, monkeypatch):
    """With faiss, where it is installed, and without."""
    if request.param == 'faiss':
        pytest.importorskip('faiss', reason='needs faiss, of the extra large')
    else:
        monkeypatch.setattr(neighbors.importlib.util, 'find_spec', lambda name: None)
        monkeypatch.setattr(neighbors, '_BLOCK', 500)  # few photos at a time


@pytest.fixture
def clouds():
    """Two clouds of 150 and 50 points, far from each other."""
    points = np.random.default_rng(0).normal(size=(200, 64)).astype(np.float32)
    points[150:] += 10
    return points


def test_each_pair_is_named_once(clouds):
    pairs = neighbors.candidates(clouds, 7)
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    np.testing.assert_array_equal(pairs, pairs[np.lexsort(pairs.T[::-1])])
    np.testing.assert_array_equal(neighbors.candidates(clouds, 7), pairs)


def test_the_nearest_are_found(clouds):
    """So few have all their cells searched: what is approximate with more is exact here."""
    named = set(map(tuple, neighbors.candidates(clouds, 7).tolist()))
    distances = np.linalg.norm(clouds[:, None] - clouds, axis=-1)
    for photo, nearest in enumerate(np.argsort(distances, 1)[:, 1:8].tolist()):
        assert {(min(photo, other), max(photo, other)) for other in nearest} <= named


def test_some_pairs_lead_out_of_the_neighborhood(clouds):
    pairs = neighbors.candidates(clouds, 7)
    between = (pairs[:, 0] < 150) & (pairs[:, 1] >= 150)
    assert 0.2 < between.sum() / (5 * 2 * 150 * 50 / 200) < 1.2  # of five drawn for each photo


def test_photos_that_are_all_the_same_are_neighbors():
    same = np.ones((100, 64), np.float32)
    pairs = neighbors.candidates(same, 7)
    assert np.unique(pairs).size == 100


def test_few_photos_are_paired_without_a_word(clouds, capfd):
    assert len(neighbors.candidates(clouds[:5], 4)) == 10
    assert capfd.readouterr() == ('', '')
