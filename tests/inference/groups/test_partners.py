"""The photos of a group as one another's partners."""

import numpy as np
import pytest
from scipy import sparse

from cosegnet_jax.inference.groups import partners
from cosegnet_jax.networks.partner import Places


def apart(first, second):
    """Says how far apart the first numbers of two photos are."""
    return first.vectors[..., 0] - second.vectors[..., 0]


def packed(*numbers):
    vectors = np.array(numbers, np.float32)[:, None, None, None] * np.ones((1, 2, 2, 1), np.float32)
    return partners.pack(Places(vectors, np.ones_like(vectors[..., 0])))


def test_places_are_kept_as_bytes():
    vectors = np.random.default_rng(0).normal(size=(3, 4, 5, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    objects = np.random.default_rng(1).uniform(size=(3, 4, 5)).astype(np.float32)
    back = partners.unpack(partners.pack(Places(vectors, objects)))
    np.testing.assert_allclose(back.vectors, vectors, atol=0.005)
    np.testing.assert_allclose(back.objects, objects, atol=0.005)


@pytest.mark.parametrize('kind', [np.asarray, sparse.csr_array])
def test_a_photo_is_compared_with_the_likeliest_of_its_group(kind, monkeypatch):
    monkeypatch.setattr(partners, 'PARTNERS', 2)
    places = packed(0.0, 0.1, 0.2, 0.4, 0.8)
    table = np.eye(5) + np.array(
        [[0, 0.6, 0.7, 0.8, 0.9], [0.6] + [0] * 4, [0.7] + [0] * 4, [0.8] + [0] * 4, [0.9] + [0] * 4]
    )
    compared = partners.compare_groups(apart, lambda k: places[k], [[0, 1, 2, 3]], kind(table))
    assert sorted(compared) == [0, 1, 2, 3]  # photo 4 is in no group
    assert compared[0] == pytest.approx(0 - (0.2 + 0.4) / 2, abs=0.01)
    assert compared[1] == pytest.approx(0.1 - (0.0 + 0.2) / 2, abs=0.01)  # of equal ones the first


def test_large_groups_are_compared_piece_by_piece(monkeypatch):
    monkeypatch.setattr(partners, '_TOGETHER', 2)
    places, table = packed(0.0, 0.2, 0.4), np.ones((3, 3))
    compared = partners.compare_groups(apart, lambda k: places[k], [[0, 1, 2]], table)
    np.testing.assert_allclose([compared[k].mean() for k in range(3)], [-0.3, 0, 0.3], atol=0.01)
